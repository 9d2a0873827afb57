using System.Runtime.Intrinsics;

namespace OpenHearth.Kernels.Formats;

/// <summary>
/// 256 values of 3 bits in groups of 16 with 6-bit scales: <c>value = d · (scale − 32) · (code − 4)</c>.
/// <code>
/// byte    0  hmask   32 bytes; bit k of byte j: bit 2 of code 32k + j
///        32  qs      2 × 32 bytes, one half for 128 values; bits 2k and 2k+1 of byte j: low bits of code 32k + j of the half
///        96  scales  12 bytes: low four bits of scale g in the low (g &lt; 8) or high nibble of byte g mod 8,
///                    its upper two bits at bit 2(g / 4) of byte 8 + g mod 4
///       108  d       F16
/// </code>
/// </summary>
internal sealed class Q3_K() : BlockFormat(TensorType.Q3_K)
{
    public override bool CanEncode => true;

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = Half(block, 108);
        for (var i = 0; i < 256; i++)
        {
            var low = block[32 + i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
            var high = block[i % 32] >> (i / 32) & 1;
            values[i] = d * Scale(block.Slice(96, 12), i / 16) * ((low | high << 2) - 4);
        }
    }

    /// <summary>Scale of a group of 16, from -32 to 31.</summary>
    internal static int Scale(ReadOnlySpan<byte> scales, int group)
    {
        var low = scales[group % 8] >> (group / 8 * 4) & 15;
        var high = scales[8 + group % 4] >> (group / 4 * 2) & 3;
        return (low | high << 4) - 32;
    }

    private protected override unsafe void DecodeBlocks(byte* block, byte* end, float* to)
    {
        for (; block < end; block += BlockBytes, to += BlockSize)
        {
            var d = Expand.Half(block + 108);
            var scales = new ReadOnlySpan<byte>(block + 96, 12);
            for (var part = 0; part < 4; part++)
            {
                // 16 bytes hold the codes of every second group of a half.
                var low = Vector128.Load(block + 32 + 16 * part);
                var high = Expand.Bits(Vector128.Load(block + part % 2 * 16), part / 2 * 4, 15);
                for (var g = part / 2 * 8 + part % 2; g < part / 2 * 8 + 8; g += 2, low >>>= 2, high >>>= 1)
                {
                    var code = low & Vector128.Create((byte)3) | (high & Vector128<byte>.One) << 2;
                    Expand.Scaled(code.AsSByte() - Vector128.Create((sbyte)4), d * Scale(scales, g), to + 16 * g);
                }
            }
        }
    }

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block)
    {
        Span<byte> codes = stackalloc byte[256], scaleCodes = stackalloc byte[16];
        Span<float> scales = stackalloc float[16], sums = stackalloc float[16], weights = stackalloc float[16];
        var spread = 2 * ScaleSearch.SumOfSquares(values) / 256;
        for (var g = 0; g < 16; g++)
        {
            var group = values.Slice(16 * g, 16);
            var groupCodes = codes.Slice(16 * g, 16);
            if (importance.IsNone)
            {
                scales[g] = ScaleSearch.SymmetricByTurns(group, 4, groupCodes);
                continue;
            }
            importance.Slice(16 * g, 16).Weigh(group, spread, weights);
            sums[g] = ScaleSearch.Sum(weights);
            scales[g] = ScaleSearch.Symmetric(group, weights, 4, groupCodes);
        }
        var d = WriteHalf(block, 108, importance.IsNone
            ? ScaleSearch.SymmetricOnce(scales, 32, scaleCodes)
            : ScaleSearch.Symmetric(scales, sums, 32, scaleCodes));
        PackScales(scaleCodes, block.Slice(96, 12));
        for (var g = 0; g < 16; g++)
            ScaleSearch.Requantize(values.Slice(16 * g, 16), d * Scale(block.Slice(96, 12), g), 0, -4, 3, codes.Slice(16 * g, 16));
        block[..32].Clear();
        for (var i = 0; i < 256; i++)
            block[i % 32] |= (byte)(codes[i] >> 2 << i / 32);
        Q2_K.Pack(codes, block.Slice(32, 64));
    }

    private static void PackScales(ReadOnlySpan<byte> scales, Span<byte> packed)
    {
        packed.Clear();
        for (var g = 0; g < 16; g++)
        {
            packed[g % 8] |= (byte)((scales[g] & 15) << g / 8 * 4);
            packed[8 + g % 4] |= (byte)(scales[g] >> 4 << g / 4 * 2);
        }
    }
}
