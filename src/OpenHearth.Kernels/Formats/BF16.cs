using System.Buffers.Binary;

namespace OpenHearth.Kernels.Formats;

/// <summary>The upper 16 bits of an F32, little-endian; encoding rounds ties to even and makes every NaN quiet.</summary>
internal sealed class BF16() : BlockFormat(TensorType.BF16)
{
    public override bool CanEncode => true;

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block) =>
        BinaryPrimitives.WriteUInt16LittleEndian(block, FromSingle(values[0]));

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values) =>
        values[0] = BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(block) << 16);

    internal static ushort FromSingle(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value)
            ? (ushort)((bits >> 16) | 64)
            : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}
