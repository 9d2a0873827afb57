namespace OpenHearth.Kernels.Formats;

/// <summary>
/// 32 values of 4 bits that pick one of 16 uneven steps, with one scale: <c>value = d · step[code]</c>.
/// <code>
/// byte  0  d     F16
///       2  qs    16 bytes; byte j: low nibble = code j, high nibble = code j + 16
/// </code>
/// </summary>
internal sealed class IQ4_NL() : BlockFormat(TensorType.IQ4_NL)
{
    /// <summary>What each code means, shared with <see cref="IQ4_XS"/>.</summary>
    internal static ReadOnlySpan<sbyte> Steps => [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = Half(block, 0);
        for (var j = 0; j < 16; j++)
        {
            values[j] = d * Steps[block[2 + j] & 15];
            values[j + 16] = d * Steps[block[2 + j] >> 4];
        }
    }
}
