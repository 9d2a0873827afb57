using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenHearth.Engine.Tokenization;
using OpenHearth.Engine.Tokenization.Loading;

namespace OpenHearth.Engine.Tests.Tokenization;

/// <summary>Vocabularies of the fixtures that are no complete tokenizer: ranks, merges without a pattern, a damaged file.</summary>
internal static class RawVocabularies
{
    private const string Llama3Pattern =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private const string Gpt2Pattern = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <summary>The tokenizer, or null where the file is complete.</summary>
    public static Tokenizer? Load(string path) => Path.GetFileName(path) switch
    {
        "qwen.tiktoken" => Ranks(path, "qwen2", ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]),
        "tokenizer__phi-3-small__cl100k_base.tiktoken" => Ranks(path, "cl100k", []),
        "vocab.bpe.gz" => Merges(path, "encoder.json.gz", Llama3Pattern, Llama3Special()),
        "vocab.bpe" => Merges(path, "encoder.json", Gpt2Pattern, [(50256, "<|endoftext|>")]),
        "llama2__tokenizer.json" => Repaired(path),
        _ => null,
    };

    private static Tokenizer Ranks(string path, string preTokenizer, string[] special)
    {
        var bytes = File.ReadAllBytes(path);
        var count = bytes.Count(b => b == '\n') + (bytes[^1] == '\n' ? 0 : 1);
        AddedToken[] added = [.. special.Select((name, i) => new AddedToken(count + i, Encoding.UTF8.GetBytes(name)) { IsSpecial = true })];
        return TiktokenRanks.Load(bytes, preTokenizer, added, new TokenRoles());
    }

    private static Tokenizer Merges(string path, string vocabulary, string pattern, (int Id, string Name)[] special)
    {
        using var merges = new StreamReader(Expectations.Open(path));
        using var pieces = Expectations.Open(Path.Combine(Path.GetDirectoryName(path)!, vocabulary));
        var root = new JsonObject
        {
            ["added_tokens"] = new JsonArray([.. special.Select(t => new JsonObject
            {
                ["id"] = t.Id,
                ["content"] = t.Name,
                ["special"] = true,
                ["normalized"] = false,
            })]),
            ["pre_tokenizer"] = JsonNode.Parse($$"""
                {"type":"Sequence","pretokenizers":[
                    {"type":"Split","pattern":{"Regex":{{JsonSerializer.Serialize(pattern)}}},"behavior":"Isolated"},
                    {"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]}
                """),
            ["decoder"] = new JsonObject { ["type"] = "ByteLevel" },
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["vocab"] = JsonNode.Parse(pieces),
                ["ignore_merges"] = pattern == Llama3Pattern,
                ["merges"] = new JsonArray([.. merges.ReadToEnd().Split('\n').Where(l => l.Length > 0 && !l.StartsWith("#version", StringComparison.Ordinal)).Select(l => JsonValue.Create(l))]),
            },
        };
        if (pattern == Llama3Pattern)
        {
            root["post_processor"] = JsonNode.Parse("""
                {"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"b"}},{"Sequence":{"id":"A"}}],"special_tokens":{"b":{"ids":[128000]}}}
                """);
        }
        return TokenizerJson.Load(JsonSerializer.SerializeToUtf8Bytes(root));
    }

    private static (int Id, string Name)[] Llama3Special() =>
    [
        (128000, "<|begin_of_text|>"), (128001, "<|end_of_text|>"), (128006, "<|start_header_id|>"), (128007, "<|end_header_id|>"), (128009, "<|eot_id|>"),
    ];

    // No-break spaces have become blanks in four pieces and three merges.
    private static Tokenizer Repaired(string path)
    {
        var root = JsonNode.Parse(File.ReadAllBytes(path))!;
        var vocabulary = root["model"]!["vocab"]!.AsObject();
        foreach (var (damaged, repaired) in ((string, string)[])[("  ", "\u00A0\u00A0"), ("    ", "\u00A0\u00A0\u00A0\u00A0"), ("▁ ", "▁\u00A0"), (" ", "\u00A0")])
        {
            var id = vocabulary[damaged]!.GetValue<int>();
            vocabulary.Remove(damaged);
            vocabulary[repaired] = id;
        }
        var merges = root["model"]!["merges"]!.AsArray();
        merges[18917] = "\u00A0 \u00A0";
        merges[38142] = "\u00A0\u00A0 \u00A0\u00A0";
        merges[42805] = "▁ \u00A0";
        return TokenizerJson.Load(JsonSerializer.SerializeToUtf8Bytes(root));
    }
}
