namespace OpenHearth.Kernels.Memory;

/// <summary>
/// Bytes somewhere in memory, of any length, not owned: whoever made the region keeps it alive.
/// It exists because a tensor may be longer than a span.
/// </summary>
public readonly unsafe struct MemoryRegion
{
    internal MemoryRegion(byte* pointer, long length)
    {
        Pointer = pointer;
        Length = length;
    }

    /// <summary>The first byte.</summary>
    public byte* Pointer { get; }

    /// <summary>Number of bytes.</summary>
    public long Length { get; }

    /// <summary>A part as a span.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The part is not within the region.</exception>
    public ReadOnlySpan<byte> Span(long offset, int length)
    {
        if (offset < 0 || length < 0 || offset > Length - length)
            throw new ArgumentOutOfRangeException(nameof(offset), $"[{offset}, {offset} + {length}) is not within {Length} bytes.");
        return new ReadOnlySpan<byte>(Pointer + offset, length);
    }

    /// <summary>A part as a region.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The part is not within the region.</exception>
    public MemoryRegion Slice(long offset, long length)
    {
        if (offset < 0 || length < 0 || offset > Length - length)
            throw new ArgumentOutOfRangeException(nameof(offset), $"[{offset}, {offset} + {length}) is not within {Length} bytes.");
        return new MemoryRegion(Pointer + offset, length);
    }

    /// <summary>The region of a native buffer; the buffer must outlive it.</summary>
    public static MemoryRegion Of<T>(NativeBuffer<T> buffer) where T : unmanaged =>
        new((byte*)buffer.Pointer, buffer.Length * sizeof(T));
}
