using System.Runtime.InteropServices;

namespace OpenHearth.Kernels.Formats;

/// <summary>IEEE 754 single precision, little-endian.</summary>
internal sealed class F32() : BlockFormat(TensorType.F32)
{
    public override bool CanEncode => true;

    public override void Decode(ReadOnlySpan<byte> blocks, Span<float> values) =>
        blocks[..(values.Length * sizeof(float))].CopyTo(MemoryMarshal.AsBytes(values));

    public override void Encode(ReadOnlySpan<float> values, Span<byte> blocks) => MemoryMarshal.AsBytes(values).CopyTo(blocks);
}
