using System.Security.Cryptography;
using System.Text;

namespace OpenHearth.Engine.Files;

/// <summary>
/// A file that appears whole or not at all and whose writing can go on after it was stopped: until it is whole, it has a name of its own
/// beside its place, with a hash of what it begins with and where it comes from, so that nothing else is taken for its beginning. Not thread-safe.
/// </summary>
internal sealed class PartialFile : IDisposable
{
    // So much may be lost when the machine stops.
    private const long Unflushed = 256L << 20;

    private readonly string _path;
    private readonly string _partial;
    private readonly FileStream _stream;
    private long _flushed;

    /// <summary>Opens what there is of the file, or begins it.</summary>
    /// <param name="path">The file's name when it is whole.</param>
    /// <param name="head">What it begins with.</param>
    /// <param name="origin">What it is made of, in any words.</param>
    /// <exception cref="IOException">The folder is not there or can't be written, or somebody else writes the same file.</exception>
    public PartialFile(string path, ReadOnlySpan<byte> head, string origin)
    {
        _path = Path.GetFullPath(path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(head);
        hash.AppendData(Encoding.UTF8.GetBytes(origin));
        _partial = $"{_path}.{Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8))}.partial";
        _stream = new FileStream(_partial, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1 << 17);
        try
        {
            if (!BeginsWith(head))
            {
                _stream.SetLength(0);
                _stream.Write(head);
            }
        }
        catch
        {
            _stream.Dispose();
            throw;
        }
    }

    /// <summary>Bytes that are there.</summary>
    public long Length => _stream.Length;

    /// <summary>Where to write, from a place on; what is behind it is forgotten.</summary>
    public FileStream From(long position)
    {
        _stream.SetLength(position);
        _stream.Position = _flushed = position;
        return _stream;
    }

    /// <summary>Brings what was written to the disk now and then.</summary>
    public void Checkpoint()
    {
        if (_stream.Position - _flushed < Unflushed)
            return;
        _stream.Flush(flushToDisk: true);
        _flushed = _stream.Position;
    }

    /// <summary>Gives the finished file its name, in place of any older file, and removes what earlier, other attempts at it have left.</summary>
    public void Commit()
    {
        _stream.Flush(flushToDisk: true);
        _stream.Dispose();
        File.Move(_partial, _path, overwrite: true);
        foreach (var other in Directory.EnumerateFiles(Path.GetDirectoryName(_path)!, $"{Path.GetFileName(_path)}.????????????????.partial"))
            File.Delete(other);
    }

    /// <summary>Forgets what was written.</summary>
    public void Discard()
    {
        _stream.Dispose();
        File.Delete(_partial);
    }

    public void Dispose() => _stream.Dispose();

    private bool BeginsWith(ReadOnlySpan<byte> head)
    {
        if (_stream.Length < head.Length)
            return false;
        var bytes = new byte[head.Length];
        _stream.ReadExactly(bytes);
        return head.SequenceEqual(bytes);
    }
}
