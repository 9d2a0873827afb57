using System.Buffers.Binary;
using System.Runtime.Intrinsics;

namespace OpenHearth.Kernels.Formats;

/// <summary>IEEE 754 double precision, little-endian, rounded to the nearest F32.</summary>
internal sealed class F64() : BlockFormat(TensorType.F64)
{
    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values) =>
        values[0] = (float)BinaryPrimitives.ReadDoubleLittleEndian(block);
}

/// <summary>A signed byte.</summary>
internal sealed class I8() : BlockFormat(TensorType.I8)
{
    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values) => values[0] = (sbyte)block[0];

    private protected override unsafe void DecodeBlocks(byte* block, byte* end, float* to)
    {
        for (; end - block >= 16; block += 16, to += 16)
            Expand.Scaled(Vector128.Load((sbyte*)block), 1, to);
        for (; block < end; block++)
            *to++ = (sbyte)*block;
    }
}

/// <summary>A byte.</summary>
internal sealed class U8() : BlockFormat(TensorType.U8)
{
    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values) => values[0] = block[0];
}

/// <summary>A truth value in a byte: 0 is 0, anything else is 1.</summary>
internal sealed class Bool() : BlockFormat(TensorType.Bool)
{
    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values) => values[0] = block[0] == 0 ? 0 : 1;
}

/// <summary>A signed 16-bit integer, little-endian.</summary>
internal sealed class I16() : BlockFormat(TensorType.I16)
{
    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values) =>
        values[0] = BinaryPrimitives.ReadInt16LittleEndian(block);
}

/// <summary>A signed 32-bit integer, little-endian, rounded to the nearest F32.</summary>
internal sealed class I32() : BlockFormat(TensorType.I32)
{
    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values) =>
        values[0] = BinaryPrimitives.ReadInt32LittleEndian(block);
}

/// <summary>A signed 64-bit integer, little-endian, rounded to the nearest F32.</summary>
internal sealed class I64() : BlockFormat(TensorType.I64)
{
    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values) =>
        values[0] = BinaryPrimitives.ReadInt64LittleEndian(block);
}
