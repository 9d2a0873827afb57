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
