using System.Runtime.Intrinsics;

namespace OpenHearth.Kernels.Formats;

/// <summary>
/// 256 values of 4 bits in groups of 32, each with a 6-bit scale and minimum:
/// <c>value = (d · scale) · code − dmin · min</c>.
/// <code>
/// byte   0  d       F16
///        2  dmin    F16
///        4  scales  12 bytes: bytes 0-3 scales 0-3 and bytes 4-7 mins 0-3 in their low six bits; byte 8 + k the low
///                   nibbles of scale 4 + k (low) and min 4 + k (high), whose upper two bits are bits 6-7 of bytes k and 4 + k
///       16  qs      4 × 32 bytes, each for 64 values; byte j: low nibble = code j, high nibble = code j + 32
/// </code>
/// </summary>
internal sealed class Q4_K() : BlockFormat(TensorType.Q4_K)
{
    public override bool CanEncode => true;

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var (d, dmin) = (Half(block, 0), Half(block, 2));
        for (var i = 0; i < 256; i++)
        {
            var (scale, min) = Scale(block.Slice(4, 12), i / 32);
            var code = block[16 + i / 64 * 32 + i % 32] >> (i % 64 / 32 * 4) & 15;
            values[i] = d * scale * code - dmin * min;
        }
    }

    /// <summary>Scale and minimum of a group of 32, from 0 to 63.</summary>
    internal static (int Scale, int Min) Scale(ReadOnlySpan<byte> scales, int group) => group < 4
        ? (scales[group] & 63, scales[group + 4] & 63)
        : (scales[group + 4] & 15 | scales[group - 4] >> 6 << 4, scales[group + 4] >> 4 | scales[group] >> 6 << 4);

    private protected override unsafe void DecodeBlocks(byte* block, byte* end, float* to)
    {
        for (; block < end; block += BlockBytes, to += BlockSize)
        {
            var (d, dmin) = (Expand.Half(block), Expand.Half(block + 2));
            var scales = new ReadOnlySpan<byte>(block + 4, 12);
            for (var g = 0; g < 8; g += 2)
            {
                var (scale, min) = Scale(scales, g);
                var (nextScale, nextMin) = Scale(scales, g + 1);
                for (var j = 0; j < 32; j += 16)
                {
                    var (low, high) = Expand.Nibbles(block + 16 + 16 * g + j);
                    Expand.Shifted(low.AsSByte(), d * scale, -(dmin * min), to + 32 * g + j);
                    Expand.Shifted(high.AsSByte(), d * nextScale, -(dmin * nextMin), to + 32 * g + 32 + j);
                }
            }
        }
    }

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block)
    {
        Span<byte> codes = stackalloc byte[256];
        EncodeGroups(values, importance, 15, new(-1, 0.1f, 20), codes, block);
        for (var i = 0; i < 256; i += 64)
        {
            for (var j = 0; j < 32; j++)
                block[16 + i / 2 + j] = (byte)(codes[i + j] | codes[i + j + 32] << 4);
        }
    }

    /// <summary>Finds the codes of eight groups of 32 and writes the 16 bytes with their scales, as in Q5_K too.</summary>
    internal static void EncodeGroups(ReadOnlySpan<float> values, Importance importance, int largest, MinimumSearch search, Span<byte> codes, Span<byte> block)
    {
        Span<float> scales = stackalloc float[8], mins = stackalloc float[8], sums = stackalloc float[8], weights = stackalloc float[32];
        var spread = 2 * ScaleSearch.SumOfSquares(values) / 256;
        for (var g = 0; g < 8; g++)
        {
            var group = values.Slice(32 * g, 32);
            var groupCodes = codes.Slice(32 * g, 32);
            if (importance.IsNone)
            {
                var mean = MathF.Sqrt(ScaleSearch.MeanSquare(group));
                for (var j = 0; j < 32; j++)
                    weights[j] = mean + MathF.Abs(group[j]);
                scales[g] = ScaleSearch.WithMinimum(group, weights, largest, search, groupCodes, out mins[g]);
            }
            else
            {
                importance.Slice(32 * g, 32).Weigh(group, spread, weights);
                sums[g] = ScaleSearch.Sum(weights);
                scales[g] = ScaleSearch.WithMinimum(group, weights, largest, MinimumSearch.Weighted, groupCodes, out mins[g]);
            }
        }
        Span<byte> scaleCodes = stackalloc byte[8], minCodes = stackalloc byte[8];
        var d = WriteHalf(block, 0, ScaleSearch.Positive(scales, sums, !importance.IsNone, 63, scaleCodes));
        var dmin = WriteHalf(block, 2, ScaleSearch.Positive(mins, sums, !importance.IsNone, 63, minCodes));
        PackScales(scaleCodes, minCodes, block.Slice(4, 12));
        for (var g = 0; g < 8; g++)
        {
            var (scale, min) = Scale(block.Slice(4, 12), g);
            ScaleSearch.Requantize(values.Slice(32 * g, 32), d * scale, dmin * min, 0, largest, codes.Slice(32 * g, 32));
        }
    }

    private static void PackScales(ReadOnlySpan<byte> scales, ReadOnlySpan<byte> mins, Span<byte> packed)
    {
        for (var g = 0; g < 4; g++)
        {
            packed[g] = (byte)(Math.Min(scales[g], (byte)63) | Math.Min(scales[g + 4], (byte)63) >> 4 << 6);
            packed[g + 4] = (byte)(Math.Min(mins[g], (byte)63) | Math.Min(mins[g + 4], (byte)63) >> 4 << 6);
            packed[g + 8] = (byte)(Math.Min(scales[g + 4], (byte)63) & 15 | Math.Min(mins[g + 4], (byte)63) << 4);
        }
    }
}
