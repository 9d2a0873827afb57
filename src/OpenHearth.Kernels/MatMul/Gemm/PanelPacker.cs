using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using OpenHearth.Kernels.MatMul.Packing;

namespace OpenHearth.Kernels.MatMul.Gemm;

/// <summary>Takes rows apart and lays them out as a panel.</summary>
internal static unsafe class PanelPacker
{
    /// <summary>Bytes that <see cref="Pack"/> needs for intermediate use.</summary>
    public static int ScratchBytes(RowCodes format, int columns) =>
        PanelLayout.Rows * (CodeStride(columns) + 2 * GroupStride(columns, format.Group) * sizeof(float));

    /// <summary>Packs up to 16 rows; missing ones become zeros.</summary>
    /// <param name="weights">The matrix, of an integer format.</param>
    /// <param name="first">First row.</param>
    /// <param name="rows">1 to 16.</param>
    /// <param name="panel">[<see cref="PanelLayout.Bytes"/>], 64-byte aligned</param>
    /// <param name="scratch">[<see cref="ScratchBytes"/>], 64-byte aligned</param>
    public static void Pack(Matrix weights, int first, int rows, byte* panel, byte* scratch)
    {
        var (format, columns) = (weights.Codes!, weights.Columns);
        var layout = new PanelLayout(format.Group, format.HasMins);
        var (codeStride, groupStride) = (CodeStride(columns), GroupStride(columns, format.Group));
        var codes = (sbyte*)scratch;
        var scales = (float*)(scratch + PanelLayout.Rows * codeStride);
        var mins = scales + PanelLayout.Rows * groupStride;
        for (var r = 0; r < PanelLayout.Rows; r++)
        {
            if (r < rows)
            {
                format.Unpack(weights.Row(first + r), columns, codes + r * codeStride, scales + r * groupStride, mins + r * groupStride);
                continue;
            }
            new Span<byte>(codes + r * codeStride, columns).Clear();
            new Span<float>(scales + r * groupStride, groupStride).Clear();
            new Span<float>(mins + r * groupStride, groupStride).Clear();
        }
        // 64 columns are two steps; where columns are an odd number of 32, the second half of the last is not stored.
        for (var i = 0; i < columns; i += 64)
        {
            var step = panel + i / PanelLayout.StepColumns * layout.StepBytes;
            Transpose16.Store((int*)(codes + i), codeStride / 4, step, i + 32 < columns ? step + layout.StepBytes : null);
        }
        for (var i = 0; i < columns; i += PanelLayout.StepColumns)
            StoreOffsets(panel + i / PanelLayout.StepColumns * layout.StepBytes, layout);
        Spread(scales, groupStride, columns, panel, layout, layout.Scales(0));
        if (layout.HasMins)
            Spread(mins, groupStride, columns, panel, layout, layout.Mins(0));
    }

    // Strides are padded so that whole vectors may be read, and so that rows do not fall on the same cache sets.
    private static int CodeStride(int columns) => (columns + 127) / 64 * 64;

    private static int GroupStride(int columns, int group) => (columns / group + 31) / 16 * 16;

    private static void Spread(float* values, int stride, int columns, byte* panel, PanelLayout layout, int offset)
    {
        var groups = columns / layout.Group;
        var vectors = stackalloc byte[16 * 64];
        for (var g = 0; g < groups; g += 16)
        {
            Transpose16.Store((int*)(values + g), stride, vectors, vectors + 8 * 64);
            // Where groups have 16 columns, two lie side by side in a step.
            for (var k = 0; k < Math.Min(16, groups - g); k++)
                Vector512.Load(vectors + 64 * k).Store(panel + (long)((g + k) / layout.Groups) * layout.StepBytes + offset + 64 * (k % layout.Groups));
        }
    }

    private static void StoreOffsets(byte* step, PanelLayout layout)
    {
        var fours = layout.Group / 4;
        for (var g = 0; g < layout.Groups; g++)
        {
            var pairs = Vector512<short>.Zero;
            for (var four = g * fours; four < (g + 1) * fours; four++)
                pairs += Avx512BW.MultiplyAddAdjacent(Vector512<byte>.One, Vector512.Load((sbyte*)step + 64 * four));
            (Avx512BW.MultiplyAddAdjacent(pairs, Vector512<short>.One) * -128).Store((int*)(step + PanelLayout.Offsets(g)));
        }
    }
}
