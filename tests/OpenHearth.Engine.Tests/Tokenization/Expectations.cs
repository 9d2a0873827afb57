using System.IO.Compression;
using System.Text;
using System.Text.Json;
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

    /// <summary>The tokenizer of a file, gzipped or not, of the fixtures or the models.</summary>
    public static Tokenizer Load(string name)
    {
        var path = Fixtures.Path(name.StartsWith("models/", StringComparison.Ordinal) ? name.Split('/') : ["fixtures", .. name.Split('/')]);
        if (RawVocabularies.Load(path) is { } raw)
            return raw;
        if (!path.EndsWith(".gz", StringComparison.Ordinal))
            return Tokenizer.FromFile(path);
        var unpacked = Path.GetTempFileName();
        using (var source = Open(path))
        using (var target = File.Create(unpacked))
            source.CopyTo(target);
        var tokenizer = Tokenizer.FromFile(unpacked);
        File.Delete(unpacked);
        return tokenizer;
    }

    /// <summary>The string of a case.</summary>
    public static string TextOf(JsonElement test) => Corpus[test.GetProperty("id").GetString()!];

    /// <summary>The numbers of an array.</summary>
    public static int[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(n => n.GetInt32())];

    /// <summary>The cases of a vocabulary.</summary>
    public static IEnumerable<JsonElement> Cases(JsonDocument vocabulary) => vocabulary.RootElement.GetProperty("cases").EnumerateArray();

    /// <summary>The ids of one reference for a case: with special tokens read in the text, or without.</summary>
    public static int[] Ids(JsonElement test, string reference, bool plain)
    {
        var result = test.GetProperty(reference);
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
