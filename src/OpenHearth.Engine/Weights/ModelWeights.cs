using OpenHearth.Engine.Files;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.Weights;

/// <summary>
/// The tensors of an open model by canonical name (that of GGUF files). Matrices stay where the file is mapped; vectors
/// are converted to F32. Not thread-safe: it is used while a graph is built. Owns what transforms have made.
/// </summary>
/// <param name="source">The open model.</param>
/// <param name="names">How its tensors are called.</param>
/// <param name="surveys">True where only names and shapes are wanted: large tensors that transforms make are empty of numbers.</param>
internal sealed class ModelWeights(ModelSource source, TensorNames names, bool surveys = false) : IDisposable
{
    private const long Large = 1 << 20;

    private readonly Dictionary<(string Name, int First, int Rows), Weight> _matrices = [];
    private readonly Dictionary<string, float[]> _vectors = [];
    private readonly Dictionary<string, StoredTensor> _transformed = [];
    private readonly HashSet<string> _used = [];
    private readonly OrderedDictionary<string, int> _asked = [];
    private readonly List<NativeBuffer<byte>> _blanks = [];

    /// <summary>Path of the model, for messages.</summary>
    public string Path => source.Path;

    /// <summary>Tensors of the file that no op has asked for, without those that the architecture knows to be needless.</summary>
    public IEnumerable<string> Unused => source.TensorNames.Where(name => !_used.Contains(name) && !names.Ignores(name));

    /// <summary>Bytes of the tensors that ops have asked for, in the files and beside them.</summary>
    public long Bytes => _used.Sum(name => source.Find(name)?.Data.Length ?? 0) + _transformed.Values.Sum(tensor => tensor.Owner is null ? 0 : tensor.Data.Length);

    /// <summary>Inputs of the widest matrix.</summary>
    public int LargestColumns => _matrices.Values.Select(weight => weight.Matrix.Columns).DefaultIfEmpty().Max();

    /// <summary>Canonical names of the tensors that were asked for, in order, with the number of experts where those are stored one by one, otherwise 0.</summary>
    public IReadOnlyDictionary<string, int> Asked => _asked;

    /// <summary>A tensor as an op would get it.</summary>
    /// <param name="name">Canonical name with its ending.</param>
    /// <param name="expert">The expert where those are stored one by one, otherwise -1.</param>
    /// <exception cref="ModelFormatException">It is missing.</exception>
    public StoredTensor Find(string name, int expert) => Get(name, expert);

    /// <summary>A tensor for one use, made anew where the file's has to be changed; the caller disposes of its owner.</summary>
    /// <param name="name">Canonical name with its ending.</param>
    /// <param name="expert">The expert where those are stored one by one, otherwise -1.</param>
    /// <exception cref="ModelFormatException">It is missing.</exception>
    public StoredTensor Read(string name, int expert)
    {
        var stored = StoredName(name, expert) ?? throw Missing(name, expert);
        var tensor = source.Read(stored.Name)!;
        if (stored.Transform is null)
            return tensor;
        return tensor.Then(tensor => stored.Transform([tensor, .. Beside(stored)]));
    }

    /// <summary>True where the model has the tensor.</summary>
    /// <param name="name">Canonical name with <c>.weight</c> or <c>.bias</c>.</param>
    public bool Has(string name) => StoredName(name) is not null;

    /// <summary>Rows of a tensor: the vocabulary of an embedding, say.</summary>
    public int Rows(string name)
    {
        var rows = Get(name).RowCount;
        return rows is > 0 and <= int.MaxValue ? (int)rows : throw Wrong(name, $"{rows} rows");
    }

    /// <summary>A matrix, or some rows of one that holds several.</summary>
    /// <param name="name">Canonical name with its ending.</param>
    /// <param name="rows">Outputs of the whole matrix.</param>
    /// <param name="columns">Inputs.</param>
    /// <param name="first">First row wanted.</param>
    /// <param name="count">Rows wanted; 0 for all.</param>
    /// <param name="scaled">True where the caller heeds <see cref="Weight.Scale"/>; others can't have types that need it.</param>
    /// <exception cref="ModelFormatException">It is missing, has another shape or a type that can't be decoded.</exception>
    public Weight Matrix(string name, int rows, int columns, int first = 0, int count = 0, bool scaled = false)
    {
        count = count > 0 ? count : rows;
        if (_matrices.TryGetValue((name, first, count), out var known) && known.Matrix.Columns == columns && (scaled || known.Scale == 1))
            return known;
        var tensor = Get(name);
        if (tensor.RowCount != rows || tensor.Columns != columns)
            throw Wrong(name, $"shape [{string.Join(", ", tensor.Shape)}], expected [{rows}, {columns}]");
        float? scale = scaled ? Scale(name, tensor) : null;
        return _matrices[(name, first, count)] = Make(name, count == rows ? tensor : tensor.Rows(first, count), count, scale);
    }

    /// <summary>The matrices of experts, whether the file stacks them in one tensor or has them one by one.</summary>
    /// <param name="name">Canonical name of the stack with its ending.</param>
    /// <param name="experts">How many there are.</param>
    /// <param name="rows">Outputs of one.</param>
    /// <param name="columns">Inputs of one.</param>
    /// <exception cref="ModelFormatException">One is missing, has another shape or a type that can't be decoded.</exception>
    public Weight[] Experts(string name, int experts, int rows, int columns)
    {
        if (Has(name))
            return Stack(name, experts, rows, columns, 0, rows);
        var result = new List<Weight>();
        for (var e = 0; e < experts; e++)
        {
            var tensor = Get(name, e);
            if (tensor.RowCount != rows || tensor.Columns != columns)
                throw Wrong(tensor.Name, $"shape [{string.Join(", ", tensor.Shape)}], expected [{rows}, {columns}]");
            result.Add(Make(name, tensor, rows));
        }
        return [.. result];
    }

    /// <summary>Matrices that one tensor stacks, one an expert or head, or the same rows of each; in place.</summary>
    /// <param name="name">Canonical name with its ending.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="rows">Rows wanted of each.</param>
    /// <param name="columns">Inputs.</param>
    /// <param name="first">First row wanted of each.</param>
    /// <param name="total">Rows that each has.</param>
    /// <exception cref="ModelFormatException">The tensor is missing, has another shape or a type that can't be decoded.</exception>
    public Weight[] Stack(string name, int count, int rows, int columns, int first, int total)
    {
        var tensor = Stacked(name, count, columns, total);
        var result = new Weight[count];
        for (var i = 0; i < count; i++)
            result[i] = Make(name, tensor.Rows(((long)i * total) + first, rows), rows);
        return result;
    }

    /// <summary>Like <see cref="Stack"/>, with rows and columns of each matrix exchanged: an F32 copy.</summary>
    /// <param name="name">Canonical name with its ending.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="rows">Rows wanted of each, the inputs of the result.</param>
    /// <param name="columns">Columns of each, the outputs of the result.</param>
    /// <param name="first">First row wanted of each.</param>
    /// <param name="total">Rows that each has.</param>
    /// <exception cref="ModelFormatException">The tensor is missing, has another shape or a type that can't be decoded.</exception>
    public Weight[] StackTransposed(string name, int count, int rows, int columns, int first, int total)
    {
        var key = $"{name} transposed";
        if (!_transformed.TryGetValue(key, out var transposed))
        {
            var stack = Stack(name, count, rows, columns, first, total);
            var buffer = new NativeBuffer<float>((long)count * columns * rows);
            _transformed[key] = transposed = new StoredTensor(name, TensorType.F32, [count, columns, rows], MemoryRegion.Of(buffer)) { Owner = buffer };
            var values = new float[columns];
            for (var i = 0; i < count; i++)
            {
                for (var r = 0; r < rows; r++)
                {
                    stack[i].Matrix.DecodeRow(r, values);
                    var column = buffer.Slice((long)i * columns * rows, columns * rows);
                    for (var c = 0; c < columns; c++)
                        column[(c * rows) + r] = values[c];
                }
            }
        }
        var result = new Weight[count];
        for (var i = 0; i < count; i++)
            result[i] = Make(name, transposed.Rows((long)i * columns, columns), columns);
        return result;
    }

    /// <summary>A small tensor as F32.</summary>
    /// <param name="name">Canonical name with its ending.</param>
    /// <param name="length">Number of values.</param>
    /// <exception cref="ModelFormatException">It is missing, has another size or a type that can't be decoded.</exception>
    public float[] Vector(string name, int length)
    {
        if (_vectors.TryGetValue(name, out var known) && known.Length == length)
            return known;
        var tensor = Get(name);
        if (checked(tensor.RowCount * tensor.Columns) != length)
            throw Wrong(name, $"shape [{string.Join(", ", tensor.Shape)}], expected {length} values");
        if (!BlockFormats.TryGet(tensor.Type, out var format) || length % format.BlockSize != 0 || TensorTypes.TrailerBytes(tensor.Type) > 0)
            throw Wrong(name, $"type {tensor.Type}, which can't be decoded here");
        var values = new float[length];
        format.Decode(tensor.Data.Span(0, checked((int)TensorTypes.RowBytes(tensor.Type, length))), values);
        return _vectors[name] = values;
    }

    /// <summary>Frees what transforms have made.</summary>
    public void Dispose()
    {
        foreach (var tensor in _transformed.Values)
            tensor.Owner?.Dispose();
        _blanks.ForEach(buffer => buffer.Dispose());
    }

    private Weight Make(string name, StoredTensor tensor, int rows, float? scale = null) =>
        BlockFormats.TryGet(tensor.Type, out _) && (scale is not null || TensorTypes.TrailerBytes(tensor.Type) == 0)
            ? new Weight(name, new Matrix(tensor.Type, rows, checked((int)tensor.Columns), tensor.Data), scale ?? 1)
            : throw Wrong(name, $"type {tensor.Type}, which can't be decoded here");

    private float Scale(string name, StoredTensor tensor)
    {
        var length = TensorTypes.TrailerBytes(tensor.Type);
        if (length == 0 || !BlockFormats.TryGet(tensor.Type, out var format))
            return 1;
        var scale = format.TensorScale(tensor.Data.Span(checked(tensor.RowCount * TensorTypes.RowBytes(tensor.Type, tensor.Columns)), length));
        return float.IsFinite(scale) ? scale : throw Wrong(name, $"a scale of {scale}");
    }

    private StoredTensor Stacked(string name, int count, int columns, int total)
    {
        var tensor = Get(name);
        return tensor.RowCount == (long)count * total && tensor.Columns == columns
            ? tensor
            : throw Wrong(name, $"shape [{string.Join(", ", tensor.Shape)}], expected [{count}, {total}, {columns}]");
    }

    private StoredTensor Get(string name, int expert = -1)
    {
        var stored = StoredName(name, expert) ?? throw Missing(name, expert);
        var tensor = source.Find(stored.Name)!;
        _used.Add(stored.Name);
        _used.UnionWith(stored.Beside);
        _asked[name] = Math.Max(expert + 1, _asked.GetValueOrDefault(name));
        if (stored.Transform is null)
            return tensor;
        if (source.FindMade(stored.Name, name) is { } kept)
            return kept;
        var key = $"{name}#{expert}";
        if (_transformed.TryGetValue(key, out var known))
            return known;
        // Without this, a shape such as [2^60, 0] would keep a transform busy for ever.
        if (tensor.Data.Length == 0)
            throw Wrong(name, $"shape [{string.Join(", ", tensor.Shape)}]");
        var made = stored.Transform([tensor, .. Beside(stored)]);
        return _transformed[key] = surveys ? Survey(made) : made;
    }

    /// <summary>A tensor that a transform made, freed of its numbers where it is large: all such share one piece of memory, as long as the longest.</summary>
    public StoredTensor Survey(StoredTensor tensor)
    {
        if (tensor.Owner is null || tensor.Data.Length <= Large)
            return tensor;
        tensor.Owner.Dispose();
        if (_blanks.Count == 0 || _blanks[^1].Length < tensor.Data.Length)
            _blanks.Add(new NativeBuffer<byte>(tensor.Data.Length));
        return tensor with { Data = MemoryRegion.Of(_blanks[^1]).Slice(0, tensor.Data.Length), Owner = null };
    }

    private StoredTensor[] Beside(ForeignTensor stored) => Array.ConvertAll(stored.Beside, name => source.Find(name)
        ?? throw new ModelFormatException($"{Path}: tensor {ModelFormatException.Quote(name)} is missing, which belongs to {ModelFormatException.Quote(stored.Name)}"));

    private ForeignTensor? StoredName(string name, int expert = -1)
    {
        if (source.IsGguf)
        {
            var gguf = TensorNames.Gguf(name, expert);
            return source.Find(gguf) is not null ? new ForeignTensor(gguf, [], null, null) : null;
        }
        foreach (var candidate in names.Resolve(name, expert))
        {
            if (source.Has(candidate.Name, name))
                return candidate;
        }
        return null;
    }

    private ModelFormatException Missing(string name, int expert)
    {
        var looked = source.IsGguf ? [TensorNames.Gguf(name, expert)] : names.Resolve(name, expert).Take(2).Select(candidate => candidate.Name);
        var others = source.IsGguf && expert < 0 ? "" : $" (looked for {string.Join(", ", looked.Select(other => ModelFormatException.Quote(other)))})";
        return new ModelFormatException($"{source.Path}: tensor {ModelFormatException.Quote(name)} is missing{others}");
    }

    private ModelFormatException Wrong(string name, string what) => new($"{source.Path}: tensor {ModelFormatException.Quote(name)} has {what}");
}
