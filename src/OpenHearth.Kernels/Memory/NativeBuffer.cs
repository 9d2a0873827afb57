using System.Runtime.InteropServices;

namespace OpenHearth.Kernels.Memory;

/// <summary>
/// Zeroed memory outside the managed heap, 64-byte aligned, owned by whoever made it. Not thread-safe to dispose
/// while another thread uses a span of it.
/// </summary>
public sealed unsafe class NativeBuffer<T> : IDisposable where T : unmanaged
{
    private T* _pointer;

    /// <summary>Allocates room for <paramref name="length"/> values.</summary>
    /// <exception cref="OutOfMemoryException">The system has no such amount of memory.</exception>
    public NativeBuffer(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        var bytes = (nuint)checked(Math.Max(length, 1) * sizeof(T));
        _pointer = (T*)NativeMemory.AlignedAlloc(bytes, 64);
        NativeMemory.Clear(_pointer, bytes);
        Length = length;
        GC.AddMemoryPressure((long)bytes);
    }

    /// <summary>Frees the memory of a buffer that nobody disposed of.</summary>
    ~NativeBuffer() => Free();

    /// <summary>Number of values.</summary>
    public long Length { get; }

    /// <summary>The first value; null after disposal.</summary>
    public T* Pointer => _pointer;

    /// <summary>All values; the buffer must not be longer than <see cref="int.MaxValue"/>.</summary>
    public Span<T> Span => Slice(0, checked((int)Length));

    /// <summary>A part of the buffer.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The part is not within the buffer.</exception>
    /// <exception cref="ObjectDisposedException">The buffer is disposed of.</exception>
    public Span<T> Slice(long start, int length)
    {
        ObjectDisposedException.ThrowIf(_pointer == null, this);
        if (start < 0 || length < 0 || start > Length - length)
            throw new ArgumentOutOfRangeException(nameof(start), $"[{start}, {start} + {length}) is not within {Length} values.");
        return new Span<T>(_pointer + start, length);
    }

    /// <summary>Frees the memory; spans of it must no longer be used.</summary>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (_pointer == null)
            return;
        NativeMemory.AlignedFree(_pointer);
        GC.RemoveMemoryPressure(checked(Math.Max(Length, 1) * sizeof(T)));
        _pointer = null;
    }
}
