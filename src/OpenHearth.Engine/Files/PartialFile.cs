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
    private PartialFile(string path, ReadOnlySpan<byte> head, string origin)
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

    /// <summary>Writes a file of tensors; those that an earlier call with the same head and origin has written are not asked for again.</summary>
    /// <inheritdoc cref="Fill" path="/param"/>
    /// <inheritdoc cref="Fill" path="/exception"/>
    public static void Write(string path, ReadOnlySpan<byte> head, string origin, IReadOnlyList<TensorSource> tensors, int alignment, bool swap, CancellationToken cancellation)
    {
        using var file = Fill(path, head, origin, tensors, alignment, swap, cancellation);
        file.Commit();
    }

    /// <summary>The same for one of several files that are to appear together: it has all its bytes, but not its name before <see cref="Commit"/>.</summary>
    /// <param name="path">The file.</param>
    /// <param name="head">All before the tensors.</param>
    /// <param name="origin">What the tensors come from, in any words: tensors of one origin are the same each time.</param>
    /// <param name="tensors">In the order of the file.</param>
    /// <param name="alignment">Tensors end with zeros up to a multiple of it.</param>
    /// <param name="swap">True to write the most significant byte of numbers first.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="IOException">The file can't be written; what is there is kept.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; what is there is kept.</exception>
    public static PartialFile Fill(string path, ReadOnlySpan<byte> head, string origin, IReadOnlyList<TensorSource> tensors, int alignment, bool swap, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var file = new PartialFile(path, head, origin);
        try
        {
            file.Add(tensors, head.Length, alignment, swap, cancellation);
            return file;
        }
        catch (Exception failure)
        {
            if (failure is OperationCanceledException or IOException)
                file.Dispose();
            else
                file.Discard();
            throw;
        }
    }

    private void Add(IReadOnlyList<TensorSource> tensors, long position, int alignment, bool swap, CancellationToken cancellation)
    {
        var zeros = new byte[alignment];
        int Padding(TensorSource tensor) => (int)(-tensor.Length & (alignment - 1));
        var first = 0;
        for (; first < tensors.Count && checked(position + tensors[first].Length + Padding(tensors[first])) <= Length; first++)
            position += tensors[first].Length + Padding(tensors[first]);
        var stream = From(position);
        foreach (var tensor in tensors.Skip(first))
        {
            tensor.WriteTo(stream, swap, cancellation);
            stream.Write(zeros, 0, Padding(tensor));
            Checkpoint();
        }
    }

    /// <summary>Bytes that are there.</summary>
    public long Length => _stream.Length;

    /// <summary>Where to write, from a place on; what is behind it is forgotten.</summary>
    private FileStream From(long position)
    {
        _stream.SetLength(position);
        _stream.Position = _flushed = position;
        return _stream;
    }

    /// <summary>Brings what was written to the disk now and then.</summary>
    private void Checkpoint()
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
