using System.IO.Compression;
using System.Text;
using System.Text.Json;
using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Engine.Tokenization;

namespace OpenHearth.Engine.Tests.Tokenization;

/// <summary>The strings, ids, spans and texts of <c>fixtures/tokenizers_expected</c>.</summary>
internal static class Expectations
{
    private static readonly Lazy<Dictionary<string, string>> Texts = new(() =>
    {
        using var corpus = Json("tokenizers_expected", "corpus.json");
        return corpus.RootElement.EnumerateArray().ToDictionary(c => c.GetProperty("id").GetString()!, c => c.GetProperty("text").GetString()!);
    });

    /// <summary>The strings by id.</summary>
    public static IReadOnlyDictionary<string, string> Corpus => Texts.Value;

    /// <summary>The expected results of a vocabulary.</summary>
    public static JsonDocument Vocabulary(string name) => Json("tokenizers_expected", "ids", name + ".json.gz");

    /// <summary>A JSON file, gzipped or not.</summary>
    public static JsonDocument Json(params string[] parts)
    {
        using var stream = Open(Fixtures.Path(["fixtures", .. parts]));
        return JsonDocument.Parse(stream);
    }

    /// <summary>A file, unpacked where it is gzipped.</summary>
    public static Stream Open(string path)
    {
        var file = File.OpenRead(path);
        return path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : file;
    }

    /// <summary>The tokenizer of a GGUF file.</summary>
    public static Tokenizer Gguf(string path)
    {
        using var file = GgufFile.Open(path);
        return Tokenizer.FromGguf(file.Metadata);
    }

    /// <summary>The numbers of an array.</summary>
    public static int[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(n => n.GetInt32())];

    /// <summary>The ids of one reference for a case, or null: with special tokens read in the text, or without.</summary>
    public static int[]? Ids(JsonElement test, string reference, bool plain)
    {
        if (!test.TryGetProperty(reference, out var result))
            return null;
        return Numbers(plain && result.TryGetProperty("plain", out var ids) ? ids : result.GetProperty("ids"));
    }

    /// <summary>The decoded text of one reference for a case.</summary>
    public static string Text(JsonElement test, string reference, bool skipSpecial)
    {
        var result = test.GetProperty(reference);
        var name = skipSpecial && (result.TryGetProperty("text_skip", out _) || result.TryGetProperty("text_skip_hex", out _)) ? "text_skip" : "text";
        if (result.TryGetProperty(name + "_hex", out var hex))
            return Encoding.UTF8.GetString(Convert.FromHexString(hex.GetString()!));
        return result.TryGetProperty(name, out var text) ? text.GetString()! : Corpus[test.GetProperty("id").GetString()!];
    }
}
