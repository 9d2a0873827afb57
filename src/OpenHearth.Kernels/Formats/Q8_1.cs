namespace OpenHearth.Kernels.Formats;

/// <summary>
/// 32 values of 8 bits with one scale, and their sum for products with formats that have a minimum:
/// <c>value = d · code</c>.
/// <code>
/// byte  0  d     F16
///       2  s     F16: d · sum of the codes
///       4  qs    32 signed bytes
/// </code>
/// </summary>
internal sealed class Q8_1() : BlockFormat(TensorType.Q8_1)
{
    public override bool CanEncode => true;

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = Half(block, 0);
        for (var j = 0; j < 32; j++)
            values[j] = d * (sbyte)block[4 + j];
    }

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block)
    {
        var scale = ScaleSearch.LargestMagnitude(values) / 127;
        Q8_0.Codes(values, scale, block[4..]);
        var sum = 0;
        for (var j = 0; j < 32; j++)
            sum += (sbyte)block[4 + j];
        WriteHalf(block, 0, scale);
        WriteHalf(block, 2, sum * scale);
    }
}
