using System.Runtime.Intrinsics;

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
    public override bool CanEncode => true;

    private static ReadOnlySpan<byte> Powers => [1, 3, 9, 27, 81];

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = Half(block, 52);
        for (var i = 0; i < 256; i++)
        {
            var (at, digit) = Place(i);
            values[i] = d * (((byte)(block[at] * Powers[digit]) * 3 >> 8) - 1);
        }
    }

    private protected override unsafe void DecodeBlocks(byte* block, byte* end, float* to)
    {
        for (; block < end; block += BlockBytes, to += BlockSize)
        {
            var d = Expand.Half(block + 52);
            for (var j = 0; j < 48; j += 16)
            {
                var (stride, offset) = j < 32 ? (32, j) : (16, 160);
                var (lower, upper) = Vector128.Widen(Vector128.Load(block + j));
                for (var digit = 0; digit < 5; digit++)
                {
                    (lower, upper) = ((lower & Vector128.Create((ushort)255)) * 3, (upper & Vector128.Create((ushort)255)) * 3);
                    var digits = Vector128.Narrow(lower >>> 8, upper >>> 8).AsSByte();
                    Expand.Scaled(digits - Vector128<sbyte>.One, d, to + offset + digit * stride);
                }
            }
            for (var i = 240; i < 256; i++)
                to[i] = d * (((byte)(block[48 + i % 4] * Powers[(i - 240) / 4]) * 3 >> 8) - 1);
        }
    }

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block)
    {
        Span<int> numbers = stackalloc int[52];
        numbers.Clear();
        var scale = ScaleSearch.LargestMagnitude(values);
        WriteHalf(block, 52, scale);
        for (var i = 0; i < 256; i++)
        {
            var (at, digit) = Place(i);
            numbers[at] += Digit(values[i], scale) * Powers[4 - digit];
        }
        for (var j = 0; j < 52; j++)
            block[j] = (byte)((numbers[j] * 256 + 242) / 243);
    }

    /// <summary>0, 1 or 2: a value in units of the scale, rounded, plus 1.</summary>
    internal static int Digit(float value, float scale) =>
        Math.Clamp(ScaleSearch.RoundAway(value * (scale == 0 ? 0 : 1 / scale)) + 1, 0, 2);

    private static (int Byte, int Digit) Place(int value) => value switch
    {
        < 160 => (value % 32, value / 32),
        < 240 => (32 + value % 16, (value - 160) / 16),
        _ => (48 + value % 4, (value - 240) / 4),
    };
}
