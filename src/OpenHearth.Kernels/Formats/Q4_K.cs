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
}
