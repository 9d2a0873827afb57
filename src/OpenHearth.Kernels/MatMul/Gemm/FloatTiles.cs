using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace OpenHearth.Kernels.MatMul.Gemm;

/// <summary>Rows of plain numbers as panels and tiles of double words, of which each holds an F32 or two bf16.</summary>
internal static unsafe class FloatTiles
{
    /// <summary>Double words of a row, with zeros to whole vectors.</summary>
    public static int RowDwords(int columns, bool bf16) => ((bf16 ? (columns + 1) / 2 : columns) + 15) / 16 * 16;

    /// <summary>Bytes that <see cref="Pack"/> needs for intermediate use.</summary>
    public static long ScratchBytes(int columns, bool bf16) => 16L * RowStride(columns, bf16) * sizeof(int);

    /// <summary>Where a row is to be decoded to before <see cref="Pack"/>.</summary>
    public static float* Row(byte* scratch, int row, int columns, bool bf16) => (float*)scratch + (long)row * RowStride(columns, bf16);

    /// <summary>Lays rows out side by side: double word d of row r goes to <c>target[d · rows + r]</c>.</summary>
    /// <param name="scratch">Up to 16 decoded rows, see <see cref="Row"/>; changed</param>
    /// <param name="rows">1 to 16; 64 bytes behind the target may be overwritten where it is less</param>
    /// <param name="columns">Values in a row.</param>
    /// <param name="bf16">Whether to round to bf16.</param>
    /// <param name="target">[<see cref="RowDwords"/>, rows]</param>
    public static void Pack(byte* scratch, int rows, int columns, bool bf16, byte* target)
    {
        var dwords = RowDwords(columns, bf16);
        for (var r = 0; r < rows; r++)
        {
            var row = Row(scratch, r, columns, bf16);
            for (var i = columns; i < (bf16 ? 2 * dwords : dwords); i++)
                row[i] = 0;
            if (bf16)
                Round(row, dwords);
        }
        var stride = RowStride(columns, bf16);
        for (var d = 0; d < dwords; d += 16)
        {
            Unsafe.SkipInit(out Sixteen m);
            for (var r = 0; r < 16; r++)
                m[r] = Vector512.Load((int*)scratch + (long)r * stride + d);
            Transpose16.InPlace(ref m);
            for (var k = 0; k < 16; k++)
                m[k].Store((int*)target + (long)(d + k) * rows);
        }
    }

    // Padded so that rows do not fall on the same cache sets. Rounding happens in place, so room is for F32.
    private static int RowStride(int columns, bool bf16) => (bf16 ? 2 * RowDwords(columns, bf16) : RowDwords(columns, bf16)) + 16;

    // Pairs of F32 become pairs of bf16, ties to even, in the first half of the row.
    private static void Round(float* row, int dwords)
    {
        for (var d = 0; d < dwords; d += 8)
        {
            var values = Vector512.Load(row + 2 * d);
            var bits = values.AsUInt32();
            var rounded = bits + Vector512.Create(0x7FFFu) + (bits >> 16 & Vector512<uint>.One);
            var quiet = bits | Vector512.Create(0x40_0000u);
            var pairs = Vector512.ConditionalSelect(Vector512.Equals(values, values).AsUInt32(), rounded, quiet).AsUInt64();
            Avx512F.ConvertToVector256UInt32(pairs >> 16 & Vector512.Create(0xFFFFul) | pairs >> 32 & Vector512.Create(0xFFFF_0000ul)).Store((uint*)row + d);
        }
    }
}
