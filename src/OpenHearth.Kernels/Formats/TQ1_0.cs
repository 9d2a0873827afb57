namespace OpenHearth.Kernels.Formats;

/// <summary>
/// 256 ternary values, five in a byte as base-3 digits, with one scale: <c>value = d · (digit − 1)</c>.
/// A byte holds the number n of five digits as ceil(n · 256 / 243), so that multiplying it by 3 moves the next digit,
/// the highest first, above the byte.
/// <code>
/// byte  0  qs    48 bytes: digit k of byte j is value 32k + j for j &lt; 32, value 160 + 16k + j − 32 behind that
///      48  qh    4 bytes of four digits: digit k of byte j is value 240 + 4k + j
///      52  d     F16
/// </code>
/// </summary>
internal sealed class TQ1_0() : BlockFormat(TensorType.TQ1_0)
{
    private static ReadOnlySpan<byte> Powers => [1, 3, 9, 27, 81];

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = Half(block, 52);
        for (var i = 0; i < 256; i++)
        {
            var (at, digit) = i switch
            {
                < 160 => (i % 32, i / 32),
                < 240 => (32 + i % 16, (i - 160) / 16),
                _ => (48 + i % 4, (i - 240) / 4),
            };
            values[i] = d * (((byte)(block[at] * Powers[digit]) * 3 >> 8) - 1);
        }
    }
}
