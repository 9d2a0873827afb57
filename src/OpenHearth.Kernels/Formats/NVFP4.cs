namespace OpenHearth.Kernels.Formats;

/// <summary>
/// NVIDIA's 4-bit format: 64 values of FP4 (E2M1) in groups of 16 with an FP8 scale: <c>value = scale · fp4[code]</c>.
/// <code>
/// byte  0  d     4 bytes: scale of each group, unsigned E4M3 (0x7F is 0)
///       4  qs    4 × 8 bytes, each for 16 values; byte j: low nibble = code j, high nibble = code j + 8
/// </code>
/// </summary>
internal sealed class NVFP4() : BlockFormat(TensorType.NVFP4)
{
    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        for (var i = 0; i < 64; i++)
        {
            var code = block[4 + i / 16 * 8 + i % 8] >> (i % 16 / 8 * 4) & 15;
            values[i] = HalfScale(block[i / 16]) * MXFP4.Doubled[code];
        }
    }

    /// <summary>Half of a group's scale, for the doubled codes. The sign bit has no meaning.</summary>
    internal static float HalfScale(byte scale) => (scale & 127) == 127 ? 0 : F8_E4M3.Values[scale & 127] / 2;
}
