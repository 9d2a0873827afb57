namespace OpenHearth.Kernels.MatMul.Gemm;

/// <summary>Rows of plain numbers as panels and tiles of double words, of which each holds an F32 or two bf16.</summary>
internal static unsafe class FloatTiles
{
    /// <summary>Double words of a row, with zeros to whole vectors.</summary>
    public static int RowDwords(int columns, bool bf16) => ((bf16 ? (columns + 1) / 2 : columns) + 15) / 16 * 16;

    /// <summary>Bytes that <see cref="Pack"/> needs for intermediate use.</summary>
    public static long ScratchBytes(int columns, bool bf16) => 16L * RowStride(columns, bf16) * sizeof(int);

    /// <summary>Where a row is to be put before <see cref="Pack"/>, as F32 or bf16.</summary>
    public static byte* Row(byte* scratch, int row, int columns, bool bf16) => scratch + (long)row * RowStride(columns, bf16) * sizeof(int);

    /// <summary>Lays rows out side by side: double word d of row r goes to <c>target[d · rows + r]</c>.</summary>
    /// <param name="scratch">Up to 16 rows, see <see cref="Row"/>; changed</param>
    /// <param name="rows">1 to 16; 64 bytes behind the target may be overwritten where it is less</param>
    /// <param name="columns">Values in a row.</param>
    /// <param name="bf16">Whether values are bf16.</param>
    /// <param name="target">[<see cref="RowDwords"/>, rows]</param>
    public static void Pack(byte* scratch, int rows, int columns, bool bf16, byte* target)
    {
        var dwords = RowDwords(columns, bf16);
        var used = columns * (bf16 ? sizeof(ushort) : sizeof(float));
        for (var r = 0; r < rows; r++)
            new Span<byte>(Row(scratch, r, columns, bf16) + used, dwords * sizeof(int) - used).Clear();
        var arguments = new TransposeKernel.Arguments
        {
            Source = scratch,
            Stride = RowStride(columns, bf16) * sizeof(int),
            Target = target,
            Steps = dwords / 16,
        };
        TransposeKernel.Get(rows).Run(&arguments);
    }

    // Padded so that rows do not fall on the same cache sets.
    private static int RowStride(int columns, bool bf16) => RowDwords(columns, bf16) + 16;
}
