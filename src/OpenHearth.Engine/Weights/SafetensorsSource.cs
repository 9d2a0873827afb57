using OpenHearth.Engine.Architectures;
using OpenHearth.Engine.Embeddings;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Safetensors;
using OpenHearth.Engine.Tokenization;

namespace OpenHearth.Engine.Weights;

/// <summary>A model in the Hugging Face form: safetensors files with <c>config.json</c> beside them.</summary>
internal sealed class SafetensorsSource : ModelSource
{
    private readonly SafetensorsModel _model;

    /// <summary>Opens a file, an index or a folder, and all that belongs to it.</summary>
    public SafetensorsSource(string path)
    {
        Folder = Directory.Exists(path) ? path : System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!;
        _model = SafetensorsModel.Open(path);
        try
        {
            Config = HuggingFaceConfig.Read(Folder);
            ArchitectureNames = [.. Config.FindString("model_type") is { } type ? [type] : Array.Empty<string>(), .. Config.Architectures];
            Parameters = new HuggingFaceParameters(Config);
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

    public override IEnumerable<string> TensorNames => _model.Tensors.Select(tensor => tensor.Name);

    public override StoredTensor? Find(string name) => _model.TryGetTensor(name, out var tensor)
        ? new StoredTensor(name, tensor.Type, [.. tensor.Shape], tensor.Data)
        : null;

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
                return Tokenizer.FromFile(file);
        }
        throw new ModelFormatException($"{Path}: the model comes without a tokenizer (tokenizer.json or tokenizer.model in {Folder}); it takes and gives token ids only");
    }

    public override void Dispose() => _model.Dispose();
}
