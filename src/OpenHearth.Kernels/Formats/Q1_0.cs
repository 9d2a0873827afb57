namespace OpenHearth.Kernels.Formats;

/// <summary>
/// 128 signs with one scale: <c>value = d</c> where the bit is set, <c>−d</c> where not.
/// <code>
/// byte  0  d     F16
///       2  qs    16 bytes; bit k of byte j: value 8j + k
/// </code>
/// </summary>
internal sealed class Q1_0() : BlockFormat(TensorType.Q1_0)
{
    public override bool CanEncode => true;

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = Half(block, 0);
        for (var i = 0; i < 128; i++)
            values[i] = (block[2 + i / 8] >> (i % 8) & 1) == 0 ? -d : d;
    }

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block)
    {
        block.Clear();
        var sum = 0f;
        for (var i = 0; i < 128; i++)
        {
            sum += MathF.Abs(values[i]);
            if (values[i] >= 0)
                block[2 + i / 8] |= (byte)(1 << i % 8);
        }
        WriteHalf(block, 0, sum / 128);
    }
}
