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
    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = Half(block, 0);
        for (var j = 0; j < 32; j++)
            values[j] = d * (sbyte)block[2 + j];
    }
}
