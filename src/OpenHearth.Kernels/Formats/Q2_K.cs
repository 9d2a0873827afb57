using System.Runtime.Intrinsics;

namespace OpenHearth.Kernels.Formats;

/// <summary>
/// 256 values of 2 bits in groups of 16, each with a 4-bit scale and minimum:
/// <c>value = (d · scale) · code − dmin · min</c>.
/// <code>
/// byte   0  scales  16 bytes; byte g of group g: low nibble = scale, high nibble = min
///       16  qs      2 × 32 bytes, one half for 128 values; bits 2k and 2k+1 of byte j: code 32k + j of the half
///       80  d       F16
///       82  dmin    F16
/// </code>
/// </summary>
internal sealed class Q2_K() : BlockFormat(TensorType.Q2_K)
{
    public override bool CanEncode => true;

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var (d, dmin) = (Half(block, 80), Half(block, 82));
        for (var i = 0; i < 256; i++)
        {
            var scales = block[i / 16];
            var code = block[16 + i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
            values[i] = d * (scales & 15) * code - dmin * (scales >> 4);
        }
    }

    private protected override unsafe void DecodeBlocks(byte* block, byte* end, float* to)
    {
        for (; block < end; block += BlockBytes, to += BlockSize)
        {
            var (d, dmin) = (Expand.Half(block + 80), Expand.Half(block + 82));
            for (var part = 0; part < 4; part++)
            {
                // 16 bytes hold the codes of every second group of a half.
                var bytes = Vector128.Load(block + 16 + 16 * part);
                for (var g = part / 2 * 8 + part % 2; g < part / 2 * 8 + 8; g += 2, bytes >>>= 2)
                    Expand.Shifted((bytes & Vector128.Create((byte)3)).AsSByte(), d * (block[g] & 15), -(dmin * (block[g] >> 4)), to + 16 * g);
            }
        }
    }

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block)
    {
        Span<byte> codes = stackalloc byte[256];
        Span<float> scales = stackalloc float[16], mins = stackalloc float[16], sums = stackalloc float[16], weights = stackalloc float[16];
        var meanSquare = ScaleSearch.MeanSquare(values);
        for (var g = 0; g < 16; g++)
        {
            var group = values.Slice(16 * g, 16);
            var groupCodes = codes.Slice(16 * g, 16);
            if (importance.IsNone)
            {
                for (var j = 0; j < 16; j++)
                    weights[j] = MathF.Abs(group[j]);
                scales[g] = ScaleSearch.WithMinimum(group, weights, 3, new(-0.5f, 0.1f, 15, Absolute: true), groupCodes, out mins[g]);
            }
            else
            {
                importance.Slice(16 * g, 16).Weigh(group, meanSquare, weights);
                sums[g] = ScaleSearch.Sum(weights);
                scales[g] = ScaleSearch.WithMinimum(group, weights, 3, MinimumSearch.Weighted, groupCodes, out mins[g]);
            }
        }
        Span<byte> scaleCodes = stackalloc byte[16], minCodes = stackalloc byte[16];
        var d = WriteHalf(block, 80, ScaleSearch.Positive(scales, sums, !importance.IsNone, 15, scaleCodes));
        var dmin = WriteHalf(block, 82, ScaleSearch.Positive(mins, sums, !importance.IsNone, 15, minCodes));
        for (var g = 0; g < 16; g++)
        {
            block[g] = (byte)(scaleCodes[g] | minCodes[g] << 4);
            ScaleSearch.Requantize(values.Slice(16 * g, 16), d * (block[g] & 15), dmin * (block[g] >> 4), 0, 3, codes.Slice(16 * g, 16));
        }
        Pack(codes, block.Slice(16, 64));
    }

    /// <summary>Packs the two low bits of 256 codes.</summary>
    internal static void Pack(ReadOnlySpan<byte> codes, Span<byte> packed)
    {
        packed.Clear();
        for (var i = 0; i < 256; i++)
            packed[i / 128 * 32 + i % 32] |= (byte)((codes[i] & 3) << i % 128 / 32 * 2);
    }
}
