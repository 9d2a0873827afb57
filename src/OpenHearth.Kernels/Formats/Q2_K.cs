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
}
