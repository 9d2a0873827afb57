using System.Text.Json;
using System.Text.Json.Nodes;
using OpenHearth.Engine.Embeddings;
using OpenHearth.Engine.Weights;

namespace OpenHearth.Engine.Conversion;

/// <summary>How a GGUF file makes one vector of the tokens', as the files of sentence-transformers: its modules are the model, the pooling and the length of 1.</summary>
internal static class PoolingFiles
{
    private const string Folder = "1_Pooling";
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true };

    /// <summary>Names and bytes of the files; none where the model doesn't say.</summary>
    public static IReadOnlyDictionary<string, byte[]> Of(GgufSource source)
    {
        if (source.FindPooling() is not { } pooling)
            return new Dictionary<string, byte[]>();
        JsonArray modules = [];
        foreach (var (path, type) in (ReadOnlySpan<(string, string)>)[("", "Transformer"), (Folder, "Pooling"), ("2_Normalize", "Normalize")])
            modules.Add(new JsonObject { ["idx"] = modules.Count, ["name"] = $"{modules.Count}", ["path"] = path, ["type"] = $"sentence_transformers.models.{type}" });
        return new Dictionary<string, byte[]>
        {
            ["modules.json"] = JsonSerializer.SerializeToUtf8Bytes(modules, Readable),
            [$"{Folder}/config.json"] = JsonSerializer.SerializeToUtf8Bytes(new JsonObject
            {
                ["word_embedding_dimension"] = source.Parameters.Int("embedding_length", ""),
                ["pooling_mode_cls_token"] = pooling == Pooling.Cls,
                ["pooling_mode_mean_tokens"] = pooling == Pooling.Mean,
                ["pooling_mode_max_tokens"] = false,
                ["pooling_mode_mean_sqrt_len_tokens"] = false,
                ["pooling_mode_lasttoken"] = pooling == Pooling.Last,
            }, Readable),
        };
    }
}
