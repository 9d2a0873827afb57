using System.Buffers;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Safetensors;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.Weights.Quantized;

/// <summary>
/// The quantized matrices of a checkpoint as plain tensors named <c>module.weight</c>. Each is decoded when it is first asked
/// for, row by row, into memory of its own beside the mapped file: 2 bytes a weight in the type that the form names
/// (F16 or BF16: nothing is lost of 4-bit bitsandbytes weights, one rounding elsewhere; BitNet takes 2.06 bits and loses nothing),
/// 4 bytes where exact values are asked for and that type would round them. Not thread-safe. Owns the memory, but for what
/// <see cref="Read"/> gives.
/// </summary>
internal sealed class QuantizedMatrices : IDisposable
{
    private readonly SafetensorsModel _model;
    private readonly QuantizedForm _form;
    private readonly bool _exact;
    private readonly bool _surveys;
    private readonly Dictionary<string, StoredTensor?> _decoded = [];
    private readonly HashSet<string> _parts = [];
    private readonly List<NativeBuffer<byte>> _blanks = [];

    /// <summary>Finds a checkpoint's quantized matrices; none is decoded yet.</summary>
    /// <param name="model">The checkpoint.</param>
    /// <param name="form">How its matrices are kept.</param>
    /// <param name="exact">True to decode without rounding.</param>
    /// <param name="surveys">True where only <see cref="Read"/> decodes; matrices found otherwise are empty of numbers.</param>
    public QuantizedMatrices(SafetensorsModel model, QuantizedForm form, bool exact, bool surveys = false)
    {
        (_model, _form, _exact, _surveys) = (model, form, exact, surveys);
        foreach (var tensor in model.Tensors)
        {
            if (form.Endings.FirstOrDefault(end => tensor.Name.EndsWith(end, StringComparison.Ordinal) && form.Marks(end, tensor.Type)) is { } ending)
                _decoded[tensor.Name[..^ending.Length] + ".weight"] = null;
        }
        foreach (var name in _decoded.Keys)
            _parts.UnionWith(form.Endings.Select(ending => Module(name) + ending));
    }

    /// <summary>Names of the matrices.</summary>
    public IEnumerable<string> Names => _decoded.Keys;

    /// <summary>True where a tensor of the file is only a part of a matrix.</summary>
    public bool IsPart(string name) => _parts.Contains(name);

    /// <summary>Number of weights of all matrices, without decoding any.</summary>
    /// <exception cref="ModelFormatException">A tensor of a group is missing, has another shape or type.</exception>
    public long CountWeights() => Names.Sum(name => Describe(name) is { Rows: var rows } ? (long)rows.Rows * rows.Columns : 0);

    /// <summary>A matrix, or null where the name is not that of a quantized one.</summary>
    /// <exception cref="ModelFormatException">A tensor of its group is missing, has another shape or type.</exception>
    public StoredTensor? Find(string name)
    {
        if (!_decoded.TryGetValue(name, out var known) || known is not null)
            return known;
        var matrix = Describe(name);
        return _decoded[name] = _surveys ? Blank(name, matrix) : Decode(name, matrix);
    }

    /// <summary>A matrix decoded anew, or null where the name is not that of a quantized one; the caller disposes of its owner.</summary>
    /// <exception cref="ModelFormatException">A tensor of its group is missing, has another shape or type.</exception>
    public StoredTensor? Read(string name) => _decoded.ContainsKey(name) ? Decode(name, Describe(name)) : null;

    /// <summary>Frees the matrices.</summary>
    public void Dispose()
    {
        foreach (var tensor in _decoded.Values)
            tensor?.Owner?.Dispose();
        _blanks.ForEach(buffer => buffer.Dispose());
    }

    private QuantizedMatrix Describe(string name)
    {
        try
        {
            return _form.Read(new TensorGroup(_model, Module(name)));
        }
        catch (Exception failure) when (failure is ArgumentException or OverflowException)
        {
            throw new ModelFormatException($"{_model.Path}: the tensors of {ModelFormatException.Quote(Module(name))} don't fit together: {failure.Message}", failure);
        }
    }

    private TensorType TypeOf(QuantizedMatrix matrix) => _exact && !matrix.IsExact ? TensorType.F32 : matrix.Type;

    // All of them share one piece of memory, as long as the longest.
    private StoredTensor Blank(string name, QuantizedMatrix matrix)
    {
        var (rows, columns) = (matrix.Rows.Rows, matrix.Rows.Columns);
        var bytes = checked(rows * TensorTypes.RowBytes(TypeOf(matrix), columns));
        if (_blanks.Count == 0 || _blanks[^1].Length < bytes)
            _blanks.Add(new NativeBuffer<byte>(bytes));
        return new StoredTensor(name, TypeOf(matrix), [rows, columns], MemoryRegion.Of(_blanks[^1]).Slice(0, bytes));
    }

    private StoredTensor Decode(string name, QuantizedMatrix matrix)
    {
        var decoder = matrix.Rows;
        var type = TypeOf(matrix);
        var format = BlockFormats.Get(type);
        var columns = decoder.Columns;
        var rowBytes = checked((int)TensorTypes.RowBytes(type, columns));
        var buffer = new NativeBuffer<byte>((long)rowBytes * decoder.Rows);
        var step = Math.Clamp((1 << 20) / columns / 8 * 8, 8, 64);
        Parallel.For(0, (decoder.Rows + step - 1) / step, part =>
        {
            var first = part * step;
            var count = Math.Min(step, decoder.Rows - first);
            var values = ArrayPool<float>.Shared.Rent(count * columns);
            decoder.DecodeRows(first, count, values);
            for (var r = 0; r < count; r++)
                format.Encode(values.AsSpan(r * columns, columns), buffer.Slice((long)(first + r) * rowBytes, rowBytes));
            ArrayPool<float>.Shared.Return(values);
        });
        return new StoredTensor(name, type, [decoder.Rows, columns], MemoryRegion.Of(buffer)) { Owner = buffer };
    }

    private static string Module(string name) => name[..^".weight".Length];
}
