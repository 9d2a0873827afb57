using System.Runtime.Intrinsics;

namespace OpenHearth.Kernels.Formats;

/// <summary>
/// 256 values of 5 bits in groups of 32, each with a 6-bit scale and minimum:
/// <c>value = (d · scale) · code − dmin · min</c>.
/// <code>
/// byte   0  d       F16
///        2  dmin    F16
///        4  scales  12 bytes, as in <see cref="Q4_K"/>
///       16  qh      32 bytes; bit g of byte j: bit 4 of code 32g + j
///       48  qs      4 × 32 bytes, each for 64 values; byte j: low nibble = code j, high nibble = code j + 32
/// </code>
/// </summary>
internal sealed class Q5_K() : BlockFormat(TensorType.Q5_K)
{
    public override bool CanEncode => true;

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var (d, dmin) = (Half(block, 0), Half(block, 2));
        for (var i = 0; i < 256; i++)
        {
            var (scale, min) = Q4_K.Scale(block.Slice(4, 12), i / 32);
            var low = block[48 + i / 64 * 32 + i % 32] >> (i % 64 / 32 * 4) & 15;
            var high = block[16 + i % 32] >> (i / 32) & 1;
            values[i] = d * scale * (low | high << 4) - dmin * min;
        }
    }

    private protected override unsafe void DecodeBlocks(byte* block, byte* end, float* to)
    {
        for (; block < end; block += BlockBytes, to += BlockSize)
        {
            var (d, dmin) = (Expand.Half(block), Expand.Half(block + 2));
            var scales = new ReadOnlySpan<byte>(block + 4, 12);
            for (var g = 0; g < 8; g += 2)
            {
                var (scale, min) = Q4_K.Scale(scales, g);
                var (nextScale, nextMin) = Q4_K.Scale(scales, g + 1);
                for (var j = 0; j < 32; j += 16)
                {
                    var (low, high) = Expand.Nibbles(block + 48 + 16 * g + j);
                    var upper = Vector128.Load(block + 16 + j);
                    Expand.Shifted((low | Expand.Bits(upper, g, 1) << 4).AsSByte(), d * scale, -(dmin * min), to + 32 * g + j);
                    Expand.Shifted((high | Expand.Bits(upper, g + 1, 1) << 4).AsSByte(), d * nextScale, -(dmin * nextMin), to + 32 * g + 32 + j);
                }
            }
        }
    }

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block)
    {
        Span<byte> codes = stackalloc byte[256];
        Q4_K.EncodeGroups(values, importance, 31, new(-0.5f, 0.1f, 15), codes, block);
        block.Slice(16, 160).Clear();
        for (var i = 0; i < 256; i++)
        {
            block[16 + i % 32] |= (byte)(codes[i] >> 4 << i / 32);
            block[48 + i / 64 * 32 + i % 32] |= (byte)((codes[i] & 15) << i % 64 / 32 * 4);
        }
    }
}
