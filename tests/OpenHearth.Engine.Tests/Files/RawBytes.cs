using System.Buffers.Binary;
using System.Text;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.Tests.Files;

/// <summary>Bytes put together by hand, so that a test can write what no writer would.</summary>
internal sealed class RawBytes(bool bigEndian = false)
{
    private readonly List<byte> _bytes = [];

    public int Count => _bytes.Count;

    public RawBytes Raw(params ReadOnlySpan<byte> bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public RawBytes U32(uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, bigEndian ? BinaryPrimitives.ReverseEndianness(value) : value);
        return Raw(bytes);
    }

    public RawBytes U64(ulong value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, bigEndian ? BinaryPrimitives.ReverseEndianness(value) : value);
        return Raw(bytes);
    }

    public RawBytes Text(string text) => U64((ulong)Encoding.UTF8.GetByteCount(text)).Raw(Encoding.UTF8.GetBytes(text));

    /// <summary>Zeros up to a multiple.</summary>
    public RawBytes Pad(int multiple = 32)
    {
        while (_bytes.Count % multiple != 0)
            _bytes.Add(0);
        return this;
    }

    public RawBytes Zeros(int count) => Raw(new byte[count]);

    public byte[] ToArray() => [.. _bytes];

    /// <summary>Runs something over a copy of the bytes outside the managed heap.</summary>
    public static T Over<T>(ReadOnlySpan<byte> bytes, Func<MemoryRegion, T> use)
    {
        using var buffer = new NativeBuffer<byte>(bytes.Length);
        bytes.CopyTo(buffer.Span);
        return use(MemoryRegion.Of(buffer));
    }
}
