namespace OpenHearth.Kernels.Formats;

/// <summary>
/// The OCP microscaling format: 32 values of FP4 (E2M1) with a power of two: <c>value = 2^(e − 127) · fp4[code]</c>.
/// <code>
/// byte  0  e     exponent, biased by 127 (E8M0)
///       1  qs    16 bytes; byte j: low nibble = code j, high nibble = code j + 16
/// </code>
/// </summary>
internal sealed class MXFP4() : BlockFormat(TensorType.MXFP4)
{
    /// <summary>Twice what each FP4 code means, shared with <see cref="NVFP4"/>.</summary>
    internal static ReadOnlySpan<sbyte> Doubled => [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var half = HalfScale(block[0]);
        for (var j = 0; j < 16; j++)
        {
            values[j] = half * Doubled[block[1 + j] & 15];
            values[j + 16] = half * Doubled[block[1 + j] >> 4];
        }
    }

    /// <summary>2^(e − 128): half of the scale, for the doubled codes. The two smallest are subnormal.</summary>
    internal static float HalfScale(byte e) => BitConverter.UInt32BitsToSingle(e < 2 ? 0x0020_0000u << e : (uint)(e - 1) << 23);
}
