using System.Buffers.Binary;

namespace OpenHearth.Kernels.Formats;

/// <summary>IEEE 754 half precision, little-endian; encoding rounds ties to even and keeps subnormals.</summary>
internal sealed class F16() : BlockFormat(TensorType.F16)
{
    public override bool CanEncode => true;

    public override void Encode(ReadOnlySpan<float> values, Span<byte> blocks)
    {
        for (var i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteHalfLittleEndian(blocks[(2 * i)..], (Half)values[i]);
    }

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values) => values[0] = Half(block, 0);
}
