using OpenHearth.Engine.Architectures;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Safetensors;

namespace OpenHearth.Engine.Conversion;

/// <summary>A model's hyper-parameters, with a list of what its architecture went by: what it says of itself in either form.</summary>
internal sealed class NotedParameters(HyperParameters source) : HyperParameters
{
    private readonly OrderedDictionary<string, object> _keys = [];
    private readonly OrderedDictionary<string, object?> _config = [];
    private readonly OrderedDictionary<string, float[]> _tensors = [];

    /// <summary>Keys without the architecture's name before them.</summary>
    public IReadOnlyDictionary<string, object> Keys => _keys;

    /// <summary>Numbers that GGUF files keep in tensors.</summary>
    public IReadOnlyDictionary<string, float[]> Tensors => _tensors;

    public override string Path => source.Path;

    public override bool IsGguf => source.IsGguf;

    /// <summary>Keys of <c>config.json</c>.</summary>
    public IReadOnlyDictionary<string, object?> Config => _config;

    public override void Note(string gguf, string huggingFace, object? value)
    {
        if (gguf.Length > 0)
            _keys[gguf] = value ?? throw new ArgumentNullException(nameof(value));
        if (huggingFace.Length > 0)
            _config[huggingFace.Split('|')[0]] = value;
    }

    public override void NoteTensor(string name, float[] values) => _tensors[name] = values;

    public override RopeParameters? Rope(string? layerType)
    {
        var rope = source.Rope(layerType);
        if (rope is not null && layerType != "sliding_attention")
        {
            foreach (var (key, value) in GgufParameters.Keys(rope))
                Note(key, value);
            foreach (var (key, value) in HuggingFaceParameters.Keys(rope))
                Note("", key, value);
        }
        return rope;
    }

    public override bool? FindBool(string gguf, string huggingFace)
    {
        if (source.FindBool(gguf, huggingFace) is not { } value)
            return null;
        Note(gguf, huggingFace, value);
        return value;
    }

    public override string? FindText(string gguf, string huggingFace)
    {
        var text = source.FindText(gguf, huggingFace);
        if (text is not null)
            Note(gguf, huggingFace, text);
        return text;
    }

    public override string[]? FindTexts(string gguf, string huggingFace) => source.FindTexts(gguf, huggingFace);

    public override double? FindNumber(string gguf, string huggingFace) => source.FindNumber(gguf, huggingFace);

    public override double[]? FindNumbers(string gguf, string huggingFace) => source.FindNumbers(gguf, huggingFace);

    protected override string Name(string gguf, string huggingFace) => ModelFormatException.Quote(huggingFace);
}
