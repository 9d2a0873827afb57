using OpenHearth.Engine.Architectures;
using OpenHearth.Engine.Embeddings;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Engine.Tokenization;

namespace OpenHearth.Engine.Weights;

/// <summary>A model in a GGUF file, whole or split.</summary>
internal sealed class GgufSource : ModelSource
{
    /// <summary>Opens the file, or all parts of the split file that it belongs to.</summary>
    public GgufSource(string path)
    {
        File = GgufFile.Open(path);
        try
        {
            var architecture = File.Metadata.FindString("general.architecture") ?? throw File.Metadata.Missing("general.architecture");
            ArchitectureNames = [architecture];
            Parameters = new GgufParameters(File.Metadata, path, architecture);
        }
        catch
        {
            File.Dispose();
            throw;
        }
    }

    /// <summary>The file.</summary>
    public GgufFile File { get; }

    public override string Path => File.Path;

    public override bool IsGguf => true;

    public override IReadOnlyList<string> ArchitectureNames { get; }

    public override HyperParameters Parameters { get; }

    public override long FileBytes => File.FileBytes;

    public override IEnumerable<string> Files => File.Tensors.Select(tensor => tensor.Path).Distinct();

    public override IEnumerable<string> TensorNames => File.Tensors.Select(tensor => tensor.Name);

    public override StoredTensor? Find(string name) => File.TryGetTensor(name, out var tensor)
        ? new StoredTensor(name, tensor.Type, [.. tensor.Dimensions.Reverse()], tensor.Data)
        : null;

    public override IEnumerable<KeyValuePair<string, string>> Metadata =>
        File.Metadata.Keys.Select(key => File.Metadata.TryGet(key, out var value) ? KeyValuePair.Create(key, value.ToString()) : throw File.Metadata.Missing(key));

    public override string? ReadChatTemplate() => File.Metadata.FindString("tokenizer.chat_template");

    public override Pooling? FindPooling() => Parameters.FindInt("pooling_type", "", 0) switch
    {
        1 => Pooling.Mean,
        2 => Pooling.Cls,
        3 => Pooling.Last,
        _ => null,
    };

    public override Tokenizer ReadTokenizer() => File.Metadata.FindString("tokenizer.ggml.model") is null or "no_vocab"
        ? throw new ModelFormatException($"{Path}: the model comes without a tokenizer; it takes and gives token ids only")
        : Tokenizer.FromGguf(File.Metadata);

    public override void Dispose() => File.Dispose();
}
