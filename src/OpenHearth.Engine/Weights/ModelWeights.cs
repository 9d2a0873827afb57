using OpenHearth.Engine.Files;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul;

namespace OpenHearth.Engine.Weights;

/// <summary>
/// The tensors of an open model by canonical name (that of GGUF files). Matrices stay where the file is mapped; vectors
/// are converted to F32. Not thread-safe: it is used while a graph is built.
/// </summary>
internal sealed class ModelWeights(ModelSource source, TensorNames names)
{
    private readonly Dictionary<string, Weight> _matrices = [];
    private readonly Dictionary<string, float[]> _vectors = [];
    private readonly HashSet<string> _used = [];

    /// <summary>Path of the model, for messages.</summary>
    public string Path => source.Path;

    /// <summary>Tensors of the file that no op has asked for.</summary>
    public IEnumerable<string> Unused => source.TensorNames.Where(name => !_used.Contains(name));

    /// <summary>True where the model has the tensor.</summary>
    /// <param name="name">Canonical name with <c>.weight</c> or <c>.bias</c>.</param>
    public bool Has(string name) => Find(name) is not null;

    /// <summary>Rows of a tensor: the vocabulary of an embedding, say.</summary>
    public int Rows(string name)
    {
        var rows = Get(name).RowCount;
        return rows is > 0 and <= int.MaxValue ? (int)rows : throw Wrong(name, $"{rows} rows");
    }

    /// <summary>A matrix.</summary>
    /// <param name="name">Canonical name with its ending.</param>
    /// <param name="rows">Outputs.</param>
    /// <param name="columns">Inputs.</param>
    /// <exception cref="ModelFormatException">It is missing, has another shape or a type that can't be decoded.</exception>
    public Weight Matrix(string name, int rows, int columns)
    {
        if (_matrices.TryGetValue(name, out var known) && known.Matrix.Rows == rows && known.Matrix.Columns == columns)
            return known;
        var tensor = Get(name);
        if (tensor.RowCount != rows || tensor.Columns != columns)
            throw Wrong(name, $"shape [{string.Join(", ", tensor.Shape)}], expected [{rows}, {columns}]");
        if (!BlockFormats.TryGet(tensor.Type, out _))
            throw Wrong(name, $"type {tensor.Type}, which can't be decoded");
        return _matrices[name] = new Weight(name, new Matrix(tensor.Type, rows, columns, tensor.Data));
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
        if (!BlockFormats.TryGet(tensor.Type, out var format) || tensor.Columns % format.BlockSize != 0)
            throw Wrong(name, $"type {tensor.Type}, which can't be decoded");
        var values = new float[length];
        format.Decode(tensor.Data.Span(0, checked((int)TensorTypes.RowBytes(tensor.Type, length))), values);
        return _vectors[name] = values;
    }

    private StoredTensor Get(string name) =>
        Find(name) ?? throw new ModelFormatException($"{source.Path}: tensor {ModelFormatException.Quote(name)} is missing{Foreign(name)}");

    private string Foreign(string name) =>
        source.IsGguf ? "" : $" (looked for {string.Join(", ", names.Resolve(name).Select(candidate => ModelFormatException.Quote(candidate.Name)))})";

    private StoredTensor? Find(string name)
    {
        if (source.IsGguf)
            return Use(name, null);
        foreach (var (foreign, transform) in names.Resolve(name))
        {
            if (Use(foreign, transform) is { } tensor)
                return tensor;
        }
        return null;
    }

    private StoredTensor? Use(string stored, Func<StoredTensor, StoredTensor>? transform)
    {
        if (source.Find(stored) is not { } tensor)
            return null;
        _used.Add(stored);
        return transform is null ? tensor : transform(tensor);
    }

    private ModelFormatException Wrong(string name, string what) => new($"{source.Path}: tensor {ModelFormatException.Quote(name)} has {what}");
}
