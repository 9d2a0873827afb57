using System.Text.Json;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Gguf;

namespace OpenHearth.Engine.Tokenization.Loading;

/// <summary>Tells the kinds of tokenizer files apart by their content.</summary>
internal static class TokenizerFile
{
    private const long MaxLength = 256 << 20;

    /// <summary>Builds the tokenizer of a file.</summary>
    /// <exception cref="ModelFormatException">The file is damaged or of an unknown kind.</exception>
    public static Tokenizer Load(string path)
    {
        Span<byte> magic = stackalloc byte[4];
        using (var stream = File.OpenRead(path))
            magic = magic[..stream.ReadAtLeast(magic, 4, throwOnEndOfStream: false)];
        if (magic.SequenceEqual("GGUF"u8) || magic.SequenceEqual("FUGG"u8))
        {
            using var file = GgufFile.Open(path);
            return Tokenizer.FromGguf(file.Metadata);
        }
        var bytes = Read(path);
        try
        {
            if (TokenizerJson.Looks(bytes))
                return TokenizerJson.Load(bytes);
            if (RwkvVocabulary.Looks(bytes))
                return RwkvVocabulary.Load(bytes);
            if (SentencePieceFile.Looks(bytes))
                return SentencePieceFile.Load(bytes);
        }
        catch (ModelFormatException failure)
        {
            throw new ModelFormatException($"{path}: {failure.Message}", failure);
        }
        throw new ModelFormatException($"{path}: this is no tokenizer that is known (GGUF, tokenizer.json, SentencePiece model, RWKV vocabulary).");
    }

    /// <summary>Builds the tokenizer of a folder in the style of Hugging Face.</summary>
    /// <exception cref="ModelFormatException">It has none, or a file is damaged.</exception>
    public static Tokenizer LoadFolder(string folder)
    {
        var path = Path.Combine(folder, "tokenizer.json");
        var ranks = Path.Combine(folder, "tiktoken.model");
        if (!File.Exists(path) && !File.Exists(ranks))
            return Load(FindOther(folder));
        var roles = new TokenRoles();
        var documents = new List<JsonDocument>();
        try
        {
            foreach (var name in (string[])["tokenizer_config.json", "special_tokens_map.json"])
            {
                if (Open(Path.Combine(folder, name), documents) is { } file)
                    roles.Files.Add(file);
            }
            if (Open(Path.Combine(folder, "generation_config.json"), documents)?.Find("eos_token_id") is { } ends)
                roles.Ends.AddRange(Ids(ends));
            if (File.Exists(path))
                return TokenizerJson.Load(Read(path), roles);
            // Kimi K2 comes as ranks, with its pattern in a program beside them.
            if (roles.Files.FirstOrDefault() is var config && config.FindText("tokenizer_class") != "TikTokenTokenizer")
                throw new ModelFormatException("tiktoken.model without the tokenizer_class 'TikTokenTokenizer' in tokenizer_config.json is not supported.");
            return TiktokenRanks.Load(Read(ranks), "kimi-k2", TiktokenRanks.ReadAdded(config), roles);
        }
        catch (ModelFormatException failure)
        {
            throw new ModelFormatException($"{folder}: {failure.Message}", failure);
        }
        finally
        {
            documents.ForEach(d => d.Dispose());
        }
    }

    private static IEnumerable<int> Ids(JsonElement ids) => (ids.ValueKind == JsonValueKind.Array ? ids.EnumerateArray() : Enumerable.Repeat(ids, 1))
        .Where(id => id.ValueKind == JsonValueKind.Number).Select(id => id.TryGetInt32(out var number) ? number : -1);

    private static JsonElement? Open(string path, List<JsonDocument> documents)
    {
        if (!File.Exists(path))
            return null;
        try
        {
            documents.Add(JsonDocument.Parse(Read(path)));
            return documents[^1].RootElement;
        }
        catch (JsonException failure)
        {
            throw new ModelFormatException($"{Path.GetFileName(path)}: this is no JSON: {failure.Message}", failure);
        }
    }

    private static string FindOther(string folder)
    {
        var model = Path.Combine(folder, "tokenizer.model");
        if (File.Exists(model))
            return model;
        return Directory.EnumerateFiles(folder, "rwkv_vocab*.txt").FirstOrDefault()
            ?? throw new ModelFormatException($"{folder}: it has no tokenizer.json, tokenizer.model or rwkv_vocab*.txt.");
    }

    /// <summary>The bytes of a file of a bearable size.</summary>
    /// <exception cref="ModelFormatException">It is larger.</exception>
    public static byte[] Read(string path)
    {
        var length = new FileInfo(path).Length;
        return length <= MaxLength
            ? File.ReadAllBytes(path)
            : throw new ModelFormatException($"{path}: {length} bytes are more than a tokenizer has (at most {MaxLength}).");
    }
}
