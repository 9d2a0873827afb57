using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace OpenHearth.Kernels.Formats;

/// <summary>IEEE 754 single precision, little-endian.</summary>
internal sealed class F32() : BlockFormat(TensorType.F32)
{
    public override bool CanEncode => true;

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block) =>
        BinaryPrimitives.WriteSingleLittleEndian(block, values[0]);

    private protected override void EncodeBlocks(ReadOnlySpan<float> values, Span<byte> blocks) => MemoryMarshal.AsBytes(values).CopyTo(blocks);

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values) =>
        values[0] = BinaryPrimitives.ReadSingleLittleEndian(block);

    private protected override unsafe void DecodeBlocks(byte* block, byte* end, float* to) =>
        Buffer.MemoryCopy(block, to, end - block, end - block);
}
