using System.Buffers.Binary;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.Files.Gguf;

/// <summary>The bytes of one GGUF file and the order in which they make numbers. Whoever reads has checked the bounds.</summary>
internal sealed class GgufBytes(MemoryRegion region, bool bigEndian, string path)
{
    public bool BigEndian { get; } = bigEndian;

    public string Path { get; } = path;

    public long Length => region.Length;

    public ReadOnlySpan<byte> Span(long offset, int length) => region.Span(offset, length);

    public MemoryRegion Slice(long offset, long length) => region.Slice(offset, length);

    public byte UInt8(long offset) => region.Span(offset, 1)[0];

    public ushort UInt16(long offset)
    {
        var bytes = region.Span(offset, 2);
        return BigEndian ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : BinaryPrimitives.ReadUInt16LittleEndian(bytes);
    }

    public uint UInt32(long offset)
    {
        var bytes = region.Span(offset, 4);
        return BigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }

    public ulong UInt64(long offset)
    {
        var bytes = region.Span(offset, 8);
        return BigEndian ? BinaryPrimitives.ReadUInt64BigEndian(bytes) : BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }
}
