using OpenHearth.Engine.Architectures;
using OpenHearth.Engine.Embeddings;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Safetensors;
using OpenHearth.Engine.Tokenization;
using OpenHearth.Engine.Weights.Quantized;

namespace OpenHearth.Engine.Weights;

/// <summary>A model in the Hugging Face form: safetensors files with <c>config.json</c> beside them.</summary>
internal sealed class SafetensorsSource : ModelSource
{
    private readonly SafetensorsModel _model;
    private readonly QuantizedMatrices? _quantized;

    /// <summary>Opens a file, an index or a folder, and all that belongs to it.</summary>
    /// <param name="path">What to open.</param>
    /// <param name="exact">True to decode quantized matrices without rounding, to F32 where need be.</param>
    /// <param name="surveys">True where those are wanted one by one; see <see cref="ModelSource.Open"/>.</param>
    public SafetensorsSource(string path, bool exact = false, bool surveys = false)
    {
        Folder = Directory.Exists(path) ? path : System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!;
        _model = SafetensorsModel.Open(path);
        try
        {
            Config = HuggingFaceConfig.Read(Folder);
            ArchitectureNames = [.. Config.FindString("model_type") is { } type ? [type] : Array.Empty<string>(), .. Config.Architectures];
            Parameters = new HuggingFaceParameters(Config);
            _quantized = QuantizedForm.Of(Config) is { } form ? new QuantizedMatrices(_model, form, exact, surveys) : null;
        }
        catch
        {
            _model.Dispose();
            throw;
        }
    }

    /// <summary>Where the tensors, the configuration and the tokenizer are.</summary>
    public string Folder { get; }

    /// <summary>The configuration.</summary>
    public HuggingFaceConfig Config { get; }

    public override string Path => _model.Path;

    public override bool IsGguf => false;

    public override IReadOnlyList<string> ArchitectureNames { get; }

    public override HyperParameters Parameters { get; }

    public override long FileBytes => _model.FileBytes;

    public override IEnumerable<string> Files => _model.Tensors.Select(tensor => tensor.Path).Distinct();

    public override IEnumerable<string> TensorNames => _quantized is null
        ? _model.Tensors.Select(tensor => tensor.Name)
        : _model.Tensors.Select(tensor => tensor.Name).Where(name => !_quantized.IsPart(name)).Concat(_quantized.Names);

    public override StoredTensor? Find(string name) => _quantized?.Find(name) ?? FindPlain(name);

    public override StoredTensor? Read(string name) => _quantized?.Read(name) ?? FindPlain(name);

    // Matrices that are kept in several tensors count as one, by their form, and are not decoded for it.
    public override IReadOnlyList<TensorTypeCount> CountTensorTypes()
    {
        if (_quantized is null || !_quantized.Names.Any())
            return base.CountTensorTypes();
        var plain = CountTypes(_model.Tensors.Where(tensor => !_quantized.IsPart(tensor.Name)).Select(tensor => FindPlain(tensor.Name)!));
        var form = Config.FindSection("quantization_config")?.FindString("quant_method") ?? "quantized";
        return [.. plain.Append(new TensorTypeCount(form, _quantized.Names.Count(), _quantized.CountWeights())).OrderByDescending(count => count.Parameters)];
    }

    public override IEnumerable<KeyValuePair<string, string>> Metadata =>
        Config.Root.Keys.Select(key => KeyValuePair.Create(key, Config.Root.Describe(key)));

    public override string? ReadChatTemplate() => ChatTemplateFile.Read(Folder);

    public override Pooling? FindPooling()
    {
        // Where sentence-transformers puts the second of its modules.
        var file = System.IO.Path.Combine(Folder, "1_Pooling", "config.json");
        if (!File.Exists(file))
            return null;
        var config = HuggingFaceConfig.Read(file);
        return config.FindBoolean("pooling_mode_mean_tokens") is true ? Pooling.Mean
            : config.FindBoolean("pooling_mode_cls_token") is true ? Pooling.Cls
            : config.FindBoolean("pooling_mode_lasttoken") is true ? Pooling.Last
            : null;
    }

    public override Tokenizer ReadTokenizer()
    {
        foreach (var name in (string[])["tokenizer.json", "tokenizer.model"])
        {
            var file = System.IO.Path.Combine(Folder, name);
            if (File.Exists(file))
                return Tokenizer.FromFolder(Folder);
        }
        throw new ModelFormatException($"{Path}: the model comes without a tokenizer (tokenizer.json or tokenizer.model in {Folder}); it takes and gives token ids only");
    }

    public override void Dispose()
    {
        _quantized?.Dispose();
        _model.Dispose();
    }

    private StoredTensor? FindPlain(string name) => _model.TryGetTensor(name, out var tensor)
        ? new StoredTensor(name, tensor.Type, [.. tensor.Shape], tensor.Data)
        : null;
}
