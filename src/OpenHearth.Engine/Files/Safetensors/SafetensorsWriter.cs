using System.Buffers;
using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.Files.Safetensors;

/// <summary>
/// Writes a safetensors model as one file or as shards with an index: first its tensors are named, then they are
/// streamed one after the other. Not thread-safe; can write the same content several times.
/// </summary>
public sealed class SafetensorsWriter
{
    private const string SingleName = "model.safetensors";
    private const string IndexName = "model.safetensors.index.json";

    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly List<TensorSource> _tensors = [];
    private readonly HashSet<string> _names = ["__metadata__"];

    /// <summary>The texts that go under <c>__metadata__</c>, in every shard.</summary>
    public IDictionary<string, string> Metadata { get; } = new OrderedDictionary<string, string>();

    /// <summary>Adds a tensor whose bytes come when they are to be written.</summary>
    /// <param name="name">A new name.</param>
    /// <param name="type">How the numbers are stored; a type that safetensors knows.</param>
    /// <param name="shape">Row-major: the length of a row last.</param>
    /// <param name="write">Writes all of the tensor's bytes, little-endian.</param>
    /// <exception cref="ArgumentException">The name is there already, or the shape or type can't be written.</exception>
    public void AddTensor(string name, TensorType type, ReadOnlySpan<long> shape, Action<Stream> write)
    {
        _ = SafetensorsTypes.NameOf(type);
        if (shape.ContainsAnyInRange(long.MinValue, -1))
            throw new ArgumentException("A dimension is negative.", nameof(shape));
        var length = TensorTypes.TensorBytes(type, 1, shape);
        if (!_names.Add(name))
            throw new ArgumentException($"The tensor {name} is there already.", nameof(name));
        _tensors.Add(new TensorSource(name, type, shape.ToArray(), length, write));
    }

    /// <summary>Adds a tensor whose bytes are in memory; they must stay there until the file is written.</summary>
    /// <exception cref="ArgumentException">The name is there already, or the shape or type doesn't fit the data.</exception>
    public void AddTensor(string name, TensorType type, ReadOnlySpan<long> shape, MemoryRegion data)
    {
        AddTensor(name, type, shape, TensorSource.From(data));
        if (_tensors[^1].Length == data.Length)
            return;
        var expected = _tensors[^1].Length;
        _tensors.RemoveAt(_tensors.Count - 1);
        _names.Remove(name);
        throw new ArgumentException($"The tensor {name} has {data.Length} bytes, its shape needs {expected}.", nameof(data));
    }

    /// <summary>Writes one file, under a temporary name beside <paramref name="path"/> until it is whole.</summary>
    /// <exception cref="IOException">The file can't be written; nothing is left behind.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; nothing is left behind.</exception>
    /// <exception cref="InvalidOperationException">A tensor's source wrote more or less bytes than its shape needs.</exception>
    public void Write(string path, CancellationToken cancellation = default)
    {
        using var file = new AtomicFile(path);
        Write(file.Stream, _tensors, cancellation);
        file.Finish();
        file.Commit();
    }

    /// <summary>Like <see cref="WriteSharded(string, long, CancellationToken)"/>, and goes on where an earlier call with the same tensors and origin was stopped.</summary>
    /// <param name="folder">An existing folder.</param>
    /// <param name="shardBytes">Tensor bytes in a shard at most, but for a tensor that is longer by itself.</param>
    /// <param name="origin">What the tensors come from, in any words.</param>
    /// <param name="beside">Small files by their names in the folder; all files get their names when every one is whole, these last and in this order.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>Bytes of the files of tensors.</returns>
    /// <exception cref="IOException">A file can't be written; what is there is kept.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; what is there is kept.</exception>
    internal long WriteSharded(string folder, long shardBytes, string origin, IEnumerable<KeyValuePair<string, byte[]>> beside, CancellationToken cancellation)
    {
        var shards = Shards(shardBytes);
        List<PartialFile> files = [];
        List<AtomicFile> small = [];
        try
        {
            for (var i = 0; i < shards.Count; i++)
            {
                var order = InOrder(shards[i]);
                var head = new MemoryStream();
                WriteHead(head, order);
                var name = shards.Count == 1 ? SingleName : ShardName(i, shards.Count);
                files.Add(PartialFile.Fill(Path.Combine(folder, name), head.GetBuffer().AsSpan(0, (int)head.Length), origin, order, 1, swap: false, cancellation));
            }
            if (shards.Count > 1)
                Add(IndexName, stream => WriteIndex(stream, shards));
            foreach (var (name, content) in beside)
                Add(name, stream => stream.Write(content));
            var bytes = files.Sum(file => file.Length);
            files.ForEach(file => file.Commit());
            small.ForEach(file => file.Commit());
            return bytes;
        }
        catch (Exception failure) when (failure is not (OperationCanceledException or IOException))
        {
            files.ForEach(file => file.Discard());
            throw;
        }
        finally
        {
            files.ForEach(file => file.Dispose());
            small.ForEach(file => file.Dispose());
        }

        void Add(string name, Action<Stream> write)
        {
            var path = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            small.Add(new AtomicFile(path));
            write(small[^1].Stream);
            small[^1].Finish();
        }
    }

    /// <summary>True where a folder holds what <see cref="WriteSharded(string, long, string, IEnumerable{KeyValuePair{string, byte[]}}, CancellationToken)"/> has left to go on with.</summary>
    internal static bool HasBegun(string folder) => Directory.EnumerateFiles(folder, "model*.safetensors.????????????????.partial").Any();

    /// <summary>
    /// Writes <c>model-00001-of-0000N.safetensors</c> and <c>model.safetensors.index.json</c>, or, where all fits one
    /// shard, <c>model.safetensors</c>. Names come when all shards are whole, the index last.
    /// </summary>
    /// <param name="folder">An existing folder.</param>
    /// <param name="shardBytes">Tensor bytes in a shard at most, but for a tensor that is longer by itself.</param>
    /// <param name="cancellation">Stops the writing; nothing is left behind.</param>
    /// <exception cref="IOException">A file can't be written; nothing is left behind.</exception>
    public void WriteSharded(string folder, long shardBytes, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(shardBytes);
        var shards = Shards(shardBytes);
        if (shards.Count <= 1)
        {
            Write(Path.Combine(folder, SingleName), cancellation);
            return;
        }
        List<AtomicFile> files = [];
        try
        {
            for (var i = 0; i < shards.Count; i++)
            {
                files.Add(new AtomicFile(Path.Combine(folder, ShardName(i, shards.Count))));
                Write(files[^1].Stream, shards[i], cancellation);
                files[^1].Finish();
            }
            files.Add(new AtomicFile(Path.Combine(folder, IndexName)));
            WriteIndex(files[^1].Stream, shards);
            files[^1].Finish();
            files.ForEach(file => file.Commit());
        }
        finally
        {
            files.ForEach(file => file.Dispose());
        }
    }

    /// <summary>Writes one file's bytes.</summary>
    internal void Write(Stream stream, CancellationToken cancellation) => Write(stream, _tensors, cancellation);

    private void Write(Stream stream, List<TensorSource> tensors, CancellationToken cancellation)
    {
        var order = InOrder(tensors);
        WriteHead(stream, order);
        foreach (var tensor in order)
            tensor.WriteTo(stream, swap: false, cancellation);
    }

    // Widest numbers first, so that every tensor is aligned to its numbers.
    private static List<TensorSource> InOrder(List<TensorSource> tensors) => [.. tensors.OrderByDescending(tensor => TensorTypes.BlockBytes(tensor.Type))];

    private void WriteHead(Stream stream, List<TensorSource> order)
    {
        var header = Header(order);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        stream.Write(length);
        stream.Write(header);
    }

    private ReadOnlySpan<byte> Header(List<TensorSource> tensors)
    {
        var output = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(output, Json))
        {
            json.WriteStartObject();
            if (Metadata.Count > 0)
            {
                json.WriteStartObject("__metadata__");
                foreach (var (key, value) in Metadata)
                    json.WriteString(key, value);
                json.WriteEndObject();
            }
            var offset = 0L;
            foreach (var tensor in tensors)
            {
                WriteEntry(json, tensor, offset);
                offset += tensor.Length;
            }
            json.WriteEndObject();
        }
        // Spaces up to a multiple of 8, as the format's own library does, so that the data is aligned.
        while (output.WrittenCount % 8 != 0)
            output.Write(" "u8);
        return output.WrittenSpan;
    }

    private static void WriteEntry(Utf8JsonWriter json, TensorSource tensor, long offset)
    {
        json.WriteStartObject(tensor.Name);
        json.WriteString("dtype", SafetensorsTypes.NameOf(tensor.Type));
        json.WriteStartArray("shape");
        foreach (var dimension in tensor.Shape)
            json.WriteNumberValue(dimension);
        json.WriteEndArray();
        json.WriteStartArray("data_offsets");
        json.WriteNumberValue(offset);
        json.WriteNumberValue(checked(offset + tensor.Length));
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private List<List<TensorSource>> Shards(long shardBytes)
    {
        List<List<TensorSource>> shards = [];
        var room = 0L;
        foreach (var tensor in _tensors)
        {
            if (shards.Count == 0 || tensor.Length > room)
            {
                shards.Add([]);
                room = shardBytes;
            }
            shards[^1].Add(tensor);
            room -= tensor.Length;
        }
        return shards;
    }

    private static void WriteIndex(Stream stream, List<List<TensorSource>> shards)
    {
        using var json = new Utf8JsonWriter(stream, Json with { Indented = true });
        json.WriteStartObject();
        json.WriteStartObject("metadata");
        json.WriteNumber("total_size", shards.Sum(shard => shard.Sum(tensor => tensor.Length)));
        json.WriteEndObject();
        json.WriteStartObject("weight_map");
        for (var i = 0; i < shards.Count; i++)
        {
            foreach (var tensor in shards[i])
                json.WriteString(tensor.Name, ShardName(i, shards.Count));
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static string ShardName(int index, int count) => $"model-{index + 1:D5}-of-{count:D5}.safetensors";
}
