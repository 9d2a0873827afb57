using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using OpenHearth.Engine.Files;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.KvCache;

/// <summary>
/// What a sequence remembers, as a file: <c>HEARTHS2</c>, the model's identity, then the fields in the order in which
/// <see cref="SequenceState"/> writes them, little-endian, and the SHA-256 of all that. Not thread-safe.
/// </summary>
internal sealed class SessionFile : IDisposable
{
    private const int LargestPiece = 1 << 20;

    private readonly string _path;
    private readonly Stream _stream;
    private readonly CancellationToken _cancellation;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    private SessionFile(string path, Stream stream, CancellationToken cancellation) => (_path, _stream, _cancellation) = (path, stream, cancellation);

    private static ReadOnlySpan<byte> Magic => "HEARTHS2"u8;

    /// <summary>Writes a file, which appears when it is whole.</summary>
    /// <param name="path">Where.</param>
    /// <param name="identity">Of the model, and of how it caches.</param>
    /// <param name="content">Writes the fields.</param>
    /// <param name="cancellation">Ends the work; nothing is left behind.</param>
    public static void Write(string path, byte[] identity, Action<SessionFile> content, CancellationToken cancellation)
    {
        using var target = new AtomicFile(path);
        using var file = new SessionFile(path, target.Stream, cancellation);
        file.Write(Magic);
        file.Write(identity);
        content(file);
        target.Stream.Write(file._hash.GetCurrentHash());
        target.Finish();
        target.Commit();
    }

    /// <summary>Reads a file.</summary>
    /// <param name="path">Where.</param>
    /// <param name="identity">What it must have been written with.</param>
    /// <param name="content">Reads the fields; what it gives is disposed of if the file proves wrong.</param>
    /// <param name="cancellation">Ends the work.</param>
    /// <exception cref="InvalidDataException">It is no such file, damaged, or of another model or cache format.</exception>
    public static T Read<T>(string path, byte[] identity, Func<SessionFile, T> content, CancellationToken cancellation) where T : IDisposable
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 17);
        using var file = new SessionFile(path, stream, cancellation);
        var head = new byte[Magic.Length + identity.Length];
        if (stream.Length < head.Length + SHA256.HashSizeInBytes)
            throw file.Wrong($"{stream.Length} bytes are too few for a saved session");
        file.Read(head);
        if (!head.AsSpan().StartsWith(Magic))
            throw file.Wrong("this is no saved session, or one of another version");
        if (!head.AsSpan(Magic.Length).SequenceEqual(identity))
            throw file.Wrong("it was saved with another model, cache type or --exact setting: load it with those");
        var result = content(file);
        try
        {
            Span<byte> expected = stackalloc byte[SHA256.HashSizeInBytes];
            stream.ReadExactly(expected);
            if (stream.Position != stream.Length || !file._hash.GetCurrentHash().AsSpan().SequenceEqual(expected))
                throw file.Wrong("its checksum is wrong, so it is damaged");
            return result;
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }

    /// <summary>Writes a number.</summary>
    public void Write(int value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        Write(bytes);
    }

    /// <summary>Writes numbers.</summary>
    public void Write(ReadOnlySpan<int> values) => Write(MemoryMarshal.AsBytes(values));

    /// <summary>Writes numbers.</summary>
    public void Write(ReadOnlySpan<float> values) => Write(MemoryMarshal.AsBytes(values));

    /// <summary>Writes a block of the cache.</summary>
    public void Write(NativeBuffer<byte> memory)
    {
        for (var at = 0L; at < memory.Length; at += LargestPiece)
            Write(memory.Slice(at, (int)Math.Min(LargestPiece, memory.Length - at)));
    }

    /// <summary>Reads a number.</summary>
    /// <exception cref="InvalidDataException">It is not within the bounds.</exception>
    public int ReadInt(string field, int lowest, int highest)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        Expect(field, sizeof(int));
        Read(bytes);
        var value = BinaryPrimitives.ReadInt32LittleEndian(bytes);
        return value >= lowest && value <= highest ? value : throw Wrong($"{field} is {value}, expected {lowest} to {highest}");
    }

    /// <summary>Reads numbers.</summary>
    public int[] ReadInts(string field, int count)
    {
        Expect(field, (long)count * sizeof(int));
        var values = new int[count];
        Read(MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    /// <summary>Reads numbers into memory that is there.</summary>
    public void Read(string field, Span<float> values)
    {
        Expect(field, (long)values.Length * sizeof(float));
        Read(MemoryMarshal.AsBytes(values));
    }

    /// <summary>Reads a block of the cache.</summary>
    public void Read(NativeBuffer<byte> memory)
    {
        for (var at = 0L; at < memory.Length; at += LargestPiece)
            Read(memory.Slice(at, (int)Math.Min(LargestPiece, memory.Length - at)));
    }

    /// <summary>Fails where the file can't have so many more bytes, before memory is taken for them.</summary>
    public void Expect(string field, long bytes)
    {
        var left = _stream.Length - _stream.Position - SHA256.HashSizeInBytes;
        if (bytes > left)
            throw Wrong($"{field} takes {bytes} bytes, {left} are left");
    }

    /// <summary>What to throw for a damaged file.</summary>
    public InvalidDataException Wrong(string what) => new($"{_path}: {what}");

    public void Dispose() => _hash.Dispose();

    private void Write(ReadOnlySpan<byte> bytes)
    {
        _cancellation.ThrowIfCancellationRequested();
        _stream.Write(bytes);
        _hash.AppendData(bytes);
    }

    private void Read(Span<byte> bytes)
    {
        _cancellation.ThrowIfCancellationRequested();
        _stream.ReadExactly(bytes);
        _hash.AppendData(bytes);
    }
}
