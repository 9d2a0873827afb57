namespace OpenHearth.Kernels.Formats;

/// <summary>IEEE 754 half precision, little-endian; encoding rounds ties to even and keeps subnormals.</summary>
internal sealed class F16() : BlockFormat(TensorType.F16)
{
    public override bool CanEncode => true;

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block) =>
        WriteHalf(block, 0, values[0]);

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values) => values[0] = Half(block, 0);
}
