using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Safetensors;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// What a model says of itself, by either of two names: the key of GGUF files, without the architecture's name before it,
/// and the key of <c>config.json</c>, where <c>a|b</c> tries a, then b, and <c>a.b</c> looks inside a. Every value is
/// checked when it is read, so that an architecture can compute with it.
/// </summary>
internal abstract class HyperParameters
{
    /// <summary>The largest size or count that is believed; products of two stay within 64 bits, and nothing real is near it.</summary>
    public const int Largest = 1 << 28;

    private const int MostLayers = 4096; // lists with an entry a layer are made before any tensor is looked for

    /// <summary>Path of the model, for messages.</summary>
    public abstract string Path { get; }

    /// <summary>True where the model is a GGUF file.</summary>
    public abstract bool IsGguf { get; }

    /// <summary>Number of layers.</summary>
    /// <param name="huggingFace">The key of <c>config.json</c>.</param>
    public int Layers(string huggingFace = "num_hidden_layers")
    {
        var layers = Int("block_count", huggingFace);
        return layers <= MostLayers ? layers : throw Wrong("block_count", huggingFace, layers);
    }

    /// <summary>Number of layers without those at the end that predict further tokens, which GGUF files count.</summary>
    public int LayersOfNextToken()
    {
        var all = Layers();
        var further = Int("nextn_predict_layers", "", 0, 0);
        if (further >= all)
            throw Wrong("nextn_predict_layers", "", $"{further} of {all} layers");
        Note("", "num_hidden_layers", (uint)(all - further));
        return all - further;
    }

    /// <summary>A size or count that must be there.</summary>
    public int Int(string gguf, string huggingFace, int minimum = 1) =>
        FindInt(gguf, huggingFace, minimum) ?? throw Missing(gguf, huggingFace);

    /// <summary>A size or count.</summary>
    public int Int(string gguf, string huggingFace, int? fallback, int minimum) =>
        FindInt(gguf, huggingFace, minimum) ?? Assumed(gguf, huggingFace, fallback ?? throw Missing(gguf, huggingFace));

    /// <summary>A size or count, or null.</summary>
    public int? FindInt(string gguf, string huggingFace, int minimum = 1)
    {
        if (FindNumber(gguf, huggingFace) is not { } value)
            return null;
        if (!(value >= minimum && value <= Largest && value == Math.Truncate(value)))
            throw Wrong(gguf, huggingFace, value);
        Note(gguf, huggingFace, (uint)value);
        return (int)value;
    }

    /// <summary>A size or count for each layer; a single value stands for all.</summary>
    public int[] Ints(string gguf, string huggingFace, int count, int? fallback = null, int minimum = 1)
    {
        var values = FindNumbers(gguf, huggingFace);
        if (values is null)
            return Repeat(Int(gguf, huggingFace, fallback, minimum), count);
        if (values.Length < count)
            throw new ModelFormatException($"{Path}: {Name(gguf, huggingFace)} has {values.Length} entries for {count} layers");
        foreach (var value in values)
        {
            if (!(value >= minimum && value <= Largest && value == Math.Truncate(value)))
                throw Wrong(gguf, huggingFace, value);
        }
        var whole = Array.ConvertAll(values[..count], value => (int)value);
        Note(gguf, huggingFace, whole);
        return whole;
    }

    /// <summary>Values of a head where the heads share the width among them.</summary>
    /// <exception cref="ModelFormatException">They can't share it evenly.</exception>
    public int HeadWidth(int width, int heads) => width % heads == 0
        ? width / heads
        : throw new ModelFormatException($"{Path}: {heads} attention heads can't share a width of {width}");

    /// <summary>A number that must be there.</summary>
    public float Float(string gguf, string huggingFace) => FindFloat(gguf, huggingFace) ?? throw Missing(gguf, huggingFace);

    /// <summary>A number.</summary>
    public float Float(string gguf, string huggingFace, float fallback) => FindFloat(gguf, huggingFace) ?? Assumed(gguf, huggingFace, fallback);

    /// <summary>A number, or null.</summary>
    public float? FindFloat(string gguf, string huggingFace)
    {
        if (FindNumber(gguf, huggingFace) is not { } value)
            return null;
        if (!double.IsFinite(value))
            throw Wrong(gguf, huggingFace, value);
        Note(gguf, huggingFace, (float)value);
        return (float)value;
    }

    /// <summary>A truth value.</summary>
    public bool Bool(string gguf, string huggingFace, bool fallback) => FindBool(gguf, huggingFace) ?? Assumed(gguf, huggingFace, fallback);

    /// <summary>A truth value, or null.</summary>
    public abstract bool? FindBool(string gguf, string huggingFace);

    /// <summary>How positions turn queries and keys, or null where the model doesn't say.</summary>
    /// <param name="layerType"><c>sliding_attention</c> or <c>full_attention</c> where layers differ, otherwise null.</param>
    public abstract RopeParameters? Rope(string? layerType = null);

    /// <summary>A text, or null.</summary>
    public abstract string? FindText(string gguf, string huggingFace);

    /// <summary>Texts, or null.</summary>
    public abstract string[]? FindTexts(string gguf, string huggingFace);

    /// <summary>A single number of any kind, or null; null also where there are several.</summary>
    public abstract double? FindNumber(string gguf, string huggingFace);

    /// <summary>Numbers or truth values (as 0 and 1), or null.</summary>
    public abstract double[]? FindNumbers(string gguf, string huggingFace);

    /// <summary>Hears what a GGUF file has to say besides what is read here; see <see cref="Note(string, string, object)"/>.</summary>
    public void Note(string gguf, object value) => Note(gguf, "", value);

    /// <summary>Hears what the architecture goes by, every value that is read here. A conversion writes it down; nobody else listens.</summary>
    /// <param name="gguf">The key without the architecture's name before it; empty where GGUF files have none.</param>
    /// <param name="huggingFace">The key of <c>config.json</c>, likewise.</param>
    /// <param name="value">As <see cref="Files.Gguf.GgufWriter.Add"/> takes it; null, for <c>config.json</c> alone, where a class would otherwise assume something.</param>
    public virtual void Note(string gguf, string huggingFace, object? value)
    {
    }

    /// <summary>Hears of numbers that GGUF files keep in a tensor and <c>config.json</c> says in another way.</summary>
    /// <param name="name">Of the tensor, with its ending.</param>
    /// <param name="values">[n]</param>
    public virtual void NoteTensor(string name, float[] values)
    {
    }

    /// <summary>What to throw where a key is needed.</summary>
    public ModelFormatException Missing(string gguf, string huggingFace) => new($"{Path}: {Name(gguf, huggingFace)} is missing");

    /// <summary>What to throw where a value makes no sense.</summary>
    public ModelFormatException Wrong(string gguf, string huggingFace, object value) => new($"{Path}: {Name(gguf, huggingFace)} can't be {value}");

    /// <summary>The key as the model's own form calls it.</summary>
    protected abstract string Name(string gguf, string huggingFace);

    // Where a file is silent, zero and false go without saying.
    private T Assumed<T>(string gguf, string huggingFace, T value) where T : struct
    {
        if (!value.Equals(default(T)))
            Note(gguf, huggingFace, value is int number ? (uint)number : value);
        return value;
    }

    private static int[] Repeat(int value, int count)
    {
        var values = new int[count];
        Array.Fill(values, value);
        return values;
    }
}
