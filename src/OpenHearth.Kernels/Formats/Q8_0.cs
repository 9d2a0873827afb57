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
