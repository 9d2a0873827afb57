using System.Text;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.Files.Gguf;

/// <summary>
/// Writes a GGUF file: first its keys and tensors are named, then <see cref="Write(string, CancellationToken)"/> streams the tensors one after
/// the other. Not thread-safe; can write the same content several times.
/// </summary>
public sealed class GgufWriter
{
    private const string AlignmentKey = "general.alignment";
    private readonly int _version;
    private readonly bool _bigEndian;
    private readonly int _alignment;
    private readonly HashSet<string> _keys = [AlignmentKey];
    private readonly HashSet<string> _names = [];
    private readonly List<TensorSource> _tensors = [];
    private readonly GgufEncoder _metadata;
    private int _keyCount;

    /// <param name="version">The version of the format: 2 or 3.</param>
    /// <param name="bigEndian">True to write the most significant byte of numbers first.</param>
    /// <param name="alignment">Tensors start at multiples of this power of two; anything but 32 is written as <c>general.alignment</c>.</param>
    /// <exception cref="ArgumentOutOfRangeException">No such version or alignment.</exception>
    public GgufWriter(int version = 3, bool bigEndian = false, int alignment = 32)
    {
        if (version is not (2 or 3))
            throw new ArgumentOutOfRangeException(nameof(version), version, "Versions 2 and 3 can be written.");
        if (alignment <= 0 || alignment > 1 << 30 || (alignment & (alignment - 1)) != 0)
            throw new ArgumentOutOfRangeException(nameof(alignment), alignment, "The alignment is a power of two from 1 to 2^30.");
        (_version, _bigEndian, _alignment) = (version, bigEndian, alignment);
        _metadata = new GgufEncoder(bigEndian);
        if (alignment != 32)
            Encode(AlignmentKey, (uint)alignment);
    }

    /// <summary>
    /// Adds a key. The type of the value decides the type in the file: the C# integers and floats of 8 to 64 bits,
    /// <see cref="bool"/>, <see cref="string"/>, arrays of them, arrays of arrays, and <see cref="GgufValue"/>, which
    /// is copied as it is.
    /// </summary>
    /// <exception cref="ArgumentException">The key is there already, or GGUF has no such type.</exception>
    public void Add(string key, object value)
    {
        CheckName(key, nameof(key));
        if (!_keys.Add(key))
            throw new ArgumentException($"The key {key} is there already, or is {AlignmentKey}, which the constructor takes.", nameof(key));
        Encode(key, value);
    }

    /// <summary>Adds a tensor whose bytes come when they are to be written.</summary>
    /// <param name="name">A new name.</param>
    /// <param name="type">How the numbers are stored.</param>
    /// <param name="dimensions">Up to four, the length of a row first.</param>
    /// <param name="write">Writes all of the tensor's bytes, little-endian whatever the file is.</param>
    /// <exception cref="ArgumentException">The name is there already, or the shape or type can't be written.</exception>
    public void AddTensor(string name, TensorType type, ReadOnlySpan<long> dimensions, Action<Stream> write)
    {
        CheckName(name, nameof(name));
        if ((int)type >= 1000 || !TensorTypes.IsKnown(type))
            throw new ArgumentException($"GGUF has no tensor type {type}.", nameof(type));
        if (dimensions.Length > 4 || dimensions.ContainsAnyInRange(long.MinValue, -1))
            throw new ArgumentException("A tensor has at most four dimensions, none of them negative.", nameof(dimensions));
        var length = TensorTypes.TensorBytes(type, dimensions.IsEmpty ? 1 : dimensions[0], dimensions.IsEmpty ? [] : dimensions[1..]);
        if (!_names.Add(name))
            throw new ArgumentException($"The tensor {name} is there already.", nameof(name));
        _tensors.Add(new TensorSource(name, type, dimensions.ToArray(), length, write));
    }

    /// <summary>Adds a tensor whose bytes are in memory; they must stay there until the file is written.</summary>
    /// <exception cref="ArgumentException">The name is there already, or the shape or type doesn't fit the data.</exception>
    public void AddTensor(string name, TensorType type, ReadOnlySpan<long> dimensions, MemoryRegion data)
    {
        AddTensor(name, type, dimensions, TensorSource.From(data));
        if (_tensors[^1].Length == data.Length)
            return;
        var expected = _tensors[^1].Length;
        _tensors.RemoveAt(_tensors.Count - 1);
        _names.Remove(name);
        throw new ArgumentException($"The tensor {name} has {data.Length} bytes, its shape needs {expected}.", nameof(data));
    }

    /// <summary>Writes the file under a temporary name beside <paramref name="path"/> and renames it when it is whole.</summary>
    /// <exception cref="IOException">The file can't be written; nothing is left behind.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; nothing is left behind.</exception>
    /// <exception cref="InvalidOperationException">A tensor's source wrote more or less bytes than its shape needs.</exception>
    public void Write(string path, CancellationToken cancellation = default)
    {
        using var file = new AtomicFile(path);
        Write(file.Stream, cancellation);
        file.Finish();
        file.Commit();
    }

    /// <summary>
    /// Writes the file as <see cref="Write(string, CancellationToken)"/> does, and goes on where an earlier call with the same keys, tensors and
    /// origin was stopped: tensors that are there are not asked for again.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="origin">What the tensors come from, in any words: tensors of one origin are the same each time.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="IOException">The file can't be written; what is there is kept.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; what is there is kept.</exception>
    internal void Write(string path, string origin, CancellationToken cancellation)
    {
        PartialFile.Write(path, Head(), origin, _tensors, _alignment, _bigEndian, cancellation);
    }

    /// <summary>Writes the file's bytes.</summary>
    internal void Write(Stream stream, CancellationToken cancellation)
    {
        stream.Write(Head());
        foreach (var tensor in _tensors)
        {
            tensor.WriteTo(stream, _bigEndian, cancellation);
            Pad(stream, tensor.Length);
        }
    }

    // All before the tensors, which start at a whole multiple of the alignment.
    private byte[] Head()
    {
        var header = new GgufEncoder(_bigEndian);
        header.Bytes("GGUF"u8);
        header.UInt32((uint)_version);
        header.UInt64((ulong)_tensors.Count);
        header.UInt64((ulong)_keyCount);
        header.Bytes(_metadata.Written);
        var offset = 0L;
        foreach (var tensor in _tensors)
        {
            header.Text(tensor.Name);
            header.UInt32((uint)tensor.Shape.Length);
            foreach (var dimension in tensor.Shape)
                header.UInt64((ulong)dimension);
            header.UInt32((uint)tensor.Type);
            header.UInt64((ulong)offset);
            offset = Aligned(checked(offset + tensor.Length));
        }
        var head = new byte[checked((int)Aligned(header.Written.Length))];
        header.Written.CopyTo(head);
        return head;
    }

    private void Encode(string key, object value)
    {
        var type = GgufEncoder.TypeOf(value);
        _metadata.Text(key);
        _metadata.UInt32((uint)type);
        _metadata.Value(value);
        _keyCount++;
    }

    private long Aligned(long length) => checked(length + _alignment - 1) & -_alignment;

    private void Pad(Stream stream, long length)
    {
        ReadOnlySpan<byte> zeros = stackalloc byte[256];
        for (var left = Aligned(length) - length; left > 0; left -= Math.Min(left, zeros.Length))
            stream.Write(zeros[..(int)Math.Min(left, zeros.Length)]);
    }

    private static void CheckName(string name, string parameter)
    {
        if (Encoding.UTF8.GetByteCount(name) > ushort.MaxValue)
            throw new ArgumentException("A name has at most 65535 bytes.", parameter);
    }
}
