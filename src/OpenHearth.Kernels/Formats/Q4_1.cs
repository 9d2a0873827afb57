using System.Runtime.Intrinsics;

namespace OpenHearth.Kernels.Formats;

/// <summary>
/// 32 values of 4 bits with scale and minimum: <c>value = d · code + m</c>.
/// <code>
/// byte  0  d     F16
///       2  m     F16
///       4  qs    16 bytes; byte j: low nibble = code j, high nibble = code j + 16
/// </code>
/// </summary>
internal sealed class Q4_1() : BlockFormat(TensorType.Q4_1)
{
    public override bool CanEncode => true;

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var (d, m) = (Half(block, 0), Half(block, 2));
        for (var j = 0; j < 16; j++)
        {
            var code = block[4 + j];
            values[j] = d * (code & 15) + m;
            values[j + 16] = d * (code >> 4) + m;
        }
    }

    private protected override unsafe void DecodeBlocks(byte* block, byte* end, float* to)
    {
        for (; block < end; block += BlockBytes, to += BlockSize)
        {
            var (d, m) = (Expand.Half(block), Expand.Half(block + 2));
            var (low, high) = Expand.Nibbles(block + 4);
            Expand.Shifted(low.AsSByte(), d, m, to);
            Expand.Shifted(high.AsSByte(), d, m, to + 16);
        }
    }

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block)
    {
        Span<byte> codes = stackalloc byte[32];
        var (scale, min) = ScaleSearch.LegacyWithMinimum(values, importance, 15, codes);
        WriteHalf(block, 0, scale);
        WriteHalf(block, 2, min);
        for (var j = 0; j < 16; j++)
            block[4 + j] = (byte)(codes[j] | codes[j + 16] << 4);
    }
}
