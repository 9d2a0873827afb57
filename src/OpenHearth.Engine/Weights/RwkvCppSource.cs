using System.Buffers.Binary;
using System.Text;
using OpenHearth.Engine.Architectures;
using OpenHearth.Engine.Embeddings;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Safetensors;
using OpenHearth.Engine.Tokenization;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.Weights;

/// <summary>
/// A model of RWKV 7 in a file of rwkv.cpp: six 32-bit numbers (magic, version, vocabulary, width, layers, type), then for each tensor the
/// number of dimensions, the length of its name, its type, its dimensions with the length of a row first, its name and its data.
/// </summary>
internal sealed class RwkvCppSource : ModelSource
{
    private const uint Magic = 0x67676d66;
    private const uint Version = 101;

    private readonly MappedFile _file;
    private readonly Dictionary<string, StoredTensor> _tensors = [];

    /// <summary>Opens the file.</summary>
    public RwkvCppSource(string path)
    {
        _file = new MappedFile(path);
        try
        {
            var header = Numbers(0, 6);
            if (header[0] != Magic || header[1] != Version)
                throw new ModelFormatException($"{path}: byte 0: this is no file of rwkv.cpp, version {Version}");
            for (var offset = 24L; offset < _file.Length;)
                offset = ReadTensor(offset);
            var heads = Find("blocks.0.att.r_k") ?? throw new ModelFormatException($"{path}: tensor \"blocks.0.att.r_k\" is missing; of the files of rwkv.cpp, only those of RWKV 7 are read");
            var json = $$"""{"model_type":"rwkv7","vocab_size":{{header[2]}},"hidden_size":{{header[3]}},"num_hidden_layers":{{header[4]}},"head_size":{{heads.Columns}}}""";
            Parameters = new HuggingFaceParameters(HuggingFaceConfig.Parse(Encoding.UTF8.GetBytes(json), path));
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    public override string Path => _file.Path;

    public override bool IsGguf => false;

    public override IReadOnlyList<string> ArchitectureNames { get; } = ["rwkv7"];

    public override HyperParameters Parameters { get; }

    public override long FileBytes => _file.Length;

    public override IEnumerable<string> Files => [Path];

    public override IEnumerable<string> TensorNames => _tensors.Keys;

    public override IEnumerable<KeyValuePair<string, string>> Metadata => [];

    /// <summary>True where a file begins as those of rwkv.cpp do.</summary>
    public static bool Recognises(string path)
    {
        Span<byte> start = stackalloc byte[4];
        if (!File.Exists(path))
            return false;
        using var file = File.OpenRead(path);
        return file.ReadAtLeast(start, 4, throwOnEndOfStream: false) == 4 && BinaryPrimitives.ReadUInt32LittleEndian(start) == Magic;
    }

    public override StoredTensor? Find(string name) => _tensors.GetValueOrDefault(name);

    public override Pooling? FindPooling() => null;

    public override string? ReadChatTemplate() => null;

    public override Tokenizer ReadTokenizer() =>
        throw new ModelFormatException($"{Path}: files of rwkv.cpp have no tokenizer; the model takes and gives token ids only");

    public override void Dispose() => _file.Dispose();

    private long ReadTensor(long offset)
    {
        var head = Numbers(offset, 3);
        var (rank, nameLength) = (head[0], head[1]);
        if (rank is 0 or > 4 || nameLength is 0 or > 256)
            throw new ModelFormatException($"{Path}: byte {offset}: a tensor of {rank} dimensions with a name of {nameLength} bytes");
        var type = head[2] switch
        {
            0 => TensorType.F32,
            1 => TensorType.F16,
            2 => TensorType.Q4_0,
            3 => TensorType.Q4_1,
            7 => TensorType.Q5_0,
            8 => TensorType.Q5_1,
            9 => TensorType.Q8_0,
            var other => throw new ModelFormatException($"{Path}: byte {offset + 8}: tensor type {other} is not known"),
        };
        var dimensions = Numbers(offset + 12, (int)rank);
        var start = offset + 12 + (4 * rank);
        var name = Encoding.UTF8.GetString(Bytes(start, (int)nameLength));
        if (dimensions[0] == 0 || dimensions[0] % TensorTypes.BlockSize(type) != 0)
            throw new ModelFormatException($"{Path}: tensor {ModelFormatException.Quote(name)} has rows of {dimensions[0]}, which are no blocks of {type}");
        var rows = 1L;
        foreach (var dimension in dimensions.AsSpan(1))
        {
            rows = rows * dimension;
            if (rows is 0 or > int.MaxValue)
                throw new ModelFormatException($"{Path}: tensor {ModelFormatException.Quote(name)} has a dimension of {dimension}");
        }
        var length = checked(rows * TensorTypes.RowBytes(type, dimensions[0]));
        var data = start + nameLength;
        if (length > _file.Length - data)
            throw new ModelFormatException($"{Path}: byte {data}: tensor {ModelFormatException.Quote(name)} needs {length} bytes, {_file.Length - data} are left");
        if (!_tensors.TryAdd(name, new StoredTensor(name, type, [.. dimensions.Reverse().Select(dimension => (long)dimension)], _file.Region(data, length))))
            throw new ModelFormatException($"{Path}: byte {offset}: tensor {ModelFormatException.Quote(name)} is there twice");
        return data + length;
    }

    private uint[] Numbers(long offset, int count)
    {
        var bytes = Bytes(offset, 4 * count);
        var numbers = new uint[count];
        for (var i = 0; i < count; i++)
            numbers[i] = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(4 * i)..]);
        return numbers;
    }

    private ReadOnlySpan<byte> Bytes(long offset, int count) => count <= _file.Length - offset
        ? _file.Span(offset, count)
        : throw new ModelFormatException($"{Path}: byte {offset}: the file ends within a tensor's description");
}
