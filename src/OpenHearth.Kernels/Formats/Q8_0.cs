using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OpenHearth.Kernels.Formats;

/// <summary>
/// 32 values of 8 bits with one scale: <c>value = d · code</c>.
/// <code>
/// byte  0  d     F16
///       2  qs    32 signed bytes
/// </code>
/// </summary>
internal sealed class Q8_0() : BlockFormat(TensorType.Q8_0)
{
    public override bool CanEncode => true;

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = Half(block, 0);
        for (var j = 0; j < 32; j++)
            values[j] = d * (sbyte)block[2 + j];
    }

    private protected override unsafe void DecodeBlocks(byte* block, byte* end, float* to)
    {
        for (; block < end; block += BlockBytes, to += BlockSize)
        {
            var d = Expand.Half(block);
            Expand.Scaled(Vector128.Load((sbyte*)block + 2), d, to);
            Expand.Scaled(Vector128.Load((sbyte*)block + 18), d, to + 16);
        }
    }

    private protected override unsafe void EncodeBlocks(ReadOnlySpan<float> values, Span<byte> blocks)
    {
        fixed (float* first = values)
        fixed (byte* start = blocks)
        {
            var block = start;
            for (float* row = first, end = first + values.Length; row < end; row += 32, block += 34)
            {
                var (a, b, c, d) = (Vector256.Load(row), Vector256.Load(row + 8), Vector256.Load(row + 16), Vector256.Load(row + 24));
                var largest = Vector256.MaxNative(Vector256.MaxNative(Vector256.Abs(a), Vector256.Abs(b)), Vector256.MaxNative(Vector256.Abs(c), Vector256.Abs(d)));
                var scale = Expand.Largest(largest) / 127;
                var inverse = Vector256.Create(scale == 0 ? 0 : 1 / scale);
                Unsafe.WriteUnaligned(block, (Half)scale);
                Vector256.Narrow(
                    Vector256.Narrow(RoundAway(a * inverse), RoundAway(b * inverse)),
                    Vector256.Narrow(RoundAway(c * inverse), RoundAway(d * inverse))).Store((sbyte*)block + 2);
            }
        }
    }

    /// <summary>The nearest codes, halves away from zero: cuts off the fraction after adding the float just below a half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> RoundAway(Vector256<float> value)
    {
        var moved = value + (value & Vector256.Create(-0f) | Vector256.Create(0.49999997f));
        return Vector256.ConvertToInt32Native(Vector256.MaxNative(Vector256.MinNative(moved, Vector256.Create(127f)), Vector256.Create(-128f)));
    }

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block)
    {
        var scale = ScaleSearch.LargestMagnitude(values) / 127;
        WriteHalf(block, 0, scale);
        Codes(values, scale, block[2..]);
    }

    /// <summary>Rounds value / scale, halves away from zero.</summary>
    internal static void Codes(ReadOnlySpan<float> values, float scale, Span<byte> codes)
    {
        var inverse = scale == 0 ? 0 : 1 / scale;
        for (var j = 0; j < values.Length; j++)
            codes[j] = (byte)(sbyte)Math.Clamp(ScaleSearch.RoundAway(values[j] * inverse), -128, 127);
    }
}
