using System.IO.MemoryMappedFiles;

namespace OpenHearth.Kernels.Memory;

/// <summary>A whole file mapped read-only into memory: opening copies nothing, pages come in as they are touched.</summary>
/// <remarks>Reading is thread-safe. Spans and regions must not be used after disposal.</remarks>
public sealed unsafe class MappedFile : IDisposable
{
    private readonly MemoryMappedFile? _file;
    private readonly MemoryMappedViewAccessor? _view;
    private byte* _pointer;

    /// <summary>Maps the file at <paramref name="path"/>.</summary>
    /// <exception cref="IOException">The file can't be opened.</exception>
    public MappedFile(string path)
    {
        Path = path;
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 0);
        if (!stream.CanSeek)
            throw new IOException($"{path} is a pipe or a device; only a file can be mapped into memory.");
        Length = stream.Length;
        if (Length == 0)
            return;
        _file = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
        _view = _file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _pointer);
        _pointer += _view.PointerOffset;
    }

    /// <summary>The path given.</summary>
    public string Path { get; }

    /// <summary>Bytes in the file.</summary>
    public long Length { get; }

    /// <summary>A part of the file.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The part is not within the file.</exception>
    public ReadOnlySpan<byte> Span(long offset, int length)
    {
        Check(offset, length);
        return new ReadOnlySpan<byte>(_pointer + offset, length);
    }

    /// <summary>A part of the file that may be longer than a span.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The part is not within the file.</exception>
    public MemoryRegion Region(long offset, long length)
    {
        Check(offset, length);
        return new MemoryRegion(_pointer + offset, length);
    }

    /// <summary>Unmaps the file.</summary>
    public void Dispose()
    {
        if (_pointer != null)
            _view!.SafeMemoryMappedViewHandle.ReleasePointer();
        _pointer = null;
        _view?.Dispose();
        _file?.Dispose();
    }

    private void Check(long offset, long length)
    {
        ObjectDisposedException.ThrowIf(_pointer == null && Length > 0, this);
        if (offset < 0 || length < 0 || offset > Length - length)
            throw new ArgumentOutOfRangeException(nameof(offset), $"[{offset}, {offset} + {length}) is not within {Length} bytes.");
    }
}
