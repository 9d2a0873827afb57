using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Safetensors;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Engine.Weights.Quantized;

/// <summary>The tensors that together are one module's matrix.</summary>
/// <param name="model">Where they are.</param>
/// <param name="module">What their names begin with.</param>
internal sealed class TensorGroup(SafetensorsModel model, string module)
{
    // Longer rows than any model has would make buffers that no machine has.
    private const long LongestRow = 1 << 24;

    /// <summary>The module, for messages.</summary>
    public string Module => module;

    /// <summary>True where the tensor is there.</summary>
    public bool Has(string ending) => model.TryGetTensor(module + ending, out _);

    /// <summary>A tensor of any shape.</summary>
    /// <exception cref="ModelFormatException">It is missing or of another type.</exception>
    public SafetensorsTensor Get(string ending, params ReadOnlySpan<TensorType> types)
    {
        var tensor = model.GetTensor(module + ending);
        return types.IsEmpty || types.Contains(tensor.Type)
            ? tensor
            : throw Wrong(ending, $"type {tensor.Type}, expected {string.Join(" or ", types.ToArray())}");
    }

    /// <summary>A tensor of words of 32 bits.</summary>
    /// <exception cref="ModelFormatException">It is missing, of another shape or type.</exception>
    public SafetensorsTensor Words(string ending, params ReadOnlySpan<long> shape)
    {
        var tensor = Get(ending, TensorType.I32, TensorType.U32);
        CheckShape(ending, tensor, shape);
        return tensor;
    }

    /// <summary>A tensor with two dimensions, each of them at least 1.</summary>
    /// <exception cref="ModelFormatException">It is missing, of another shape or type.</exception>
    public SafetensorsTensor Matrix(string ending, params ReadOnlySpan<TensorType> types)
    {
        var tensor = Get(ending, types);
        return tensor.Shape is [> 0 and <= int.MaxValue, > 0 and <= int.MaxValue] ? tensor : throw Wrong(ending, $"shape [{string.Join(", ", tensor.Shape)}], expected a matrix");
    }

    /// <summary>Plain numbers, as F32.</summary>
    /// <param name="ending">Of the name.</param>
    /// <param name="shape">What it must be; none given: any.</param>
    /// <exception cref="ModelFormatException">It is missing, of another shape, or not of plain numbers.</exception>
    public float[] Floats(string ending, params ReadOnlySpan<long> shape)
    {
        var tensor = Get(ending, TensorType.F32, TensorType.F16, TensorType.BF16);
        CheckShape(ending, tensor, shape);
        var format = BlockFormats.Get(tensor.Type);
        var count = checked((int)(tensor.Data.Length / format.BlockBytes));
        var values = new float[count];
        format.Decode(tensor.Data.Span(0, checked((int)tensor.Data.Length)), values);
        return values;
    }

    /// <summary>Whole numbers of 32 bits.</summary>
    /// <exception cref="ModelFormatException">It is missing, of another shape or type.</exception>
    public int[] Integers(string ending, long count)
    {
        var tensor = Words(ending, count);
        return System.Runtime.InteropServices.MemoryMarshal.Cast<byte, int>(tensor.Data.Span(0, checked((int)tensor.Data.Length))).ToArray();
    }

    /// <summary>Checks a matrix's own size.</summary>
    /// <exception cref="ModelFormatException">It can't be that large, or is empty.</exception>
    public (int Rows, int Columns) Size(string ending, long rows, long columns) => rows is > 0 and <= int.MaxValue && columns is > 0 and <= LongestRow
        ? ((int)rows, (int)columns)
        : throw Wrong(ending, $"a matrix of {rows} by {columns}");

    /// <summary>What to throw where a tensor can't be used.</summary>
    public ModelFormatException Wrong(string ending, string what) => new($"{model.Path}: tensor {ModelFormatException.Quote(module + ending)} has {what}");

    private void CheckShape(string ending, SafetensorsTensor tensor, ReadOnlySpan<long> shape)
    {
        if (shape.Length > 0 && !shape.SequenceEqual([.. tensor.Shape]))
            throw Wrong(ending, $"shape [{string.Join(", ", tensor.Shape)}], expected [{string.Join(", ", shape.ToArray())}]");
    }
}
