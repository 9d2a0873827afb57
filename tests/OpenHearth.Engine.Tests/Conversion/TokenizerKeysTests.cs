using System.Text.Json.Nodes;
using OpenHearth.Engine.Conversion;
using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Engine.Tests.Files;
using OpenHearth.Engine.Tokenization;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Engine.Tests.Conversion;

public sealed class TokenizerKeysTests
{
    [Theory]
    [InlineData("tokenizers_hf_json/phi-3-mini__tokenizer.json", 32064, "llama", "default", "phi-3")]
    [InlineData("tokenizers_hf_json/phi-2__tokenizer.json", 51200, "gpt2", "gpt-2", "gpt-2")]
    [InlineData("tokenizer_neox/20B_tokenizer.json", 50304, "gpt2", "olmo", "gpt-2")]
    [InlineData("../models/all_minilm_l6_v2/tokenizer.json", 30522, "bert", "jina-v2-en", "bert-bge")]
    [InlineData("tokenizers_hf_json/tokenizer__t5-small__tokenizer.json", 32128, "t5", "default", "llama-spm")]
    public void Add_OfARealTokenizer_GivesTheSameTokens(string file, int rows, string model, string pre, string texts)
    {
        using var folder = new TemporaryFolder();
        File.Copy(Fixtures.Path(["fixtures", .. file.Split('/')]), folder["tokenizer.json"]);
        var keys = KeysOf(folder, rows);
        Assert.Equal((model, pre), (keys["tokenizer.ggml.model"], keys["tokenizer.ggml.pre"]));
        Assert.Equal(rows, ((string[])keys["tokenizer.ggml.tokens"]).Length);
        using var metadata = new MetadataInMemory(keys, "x");
        var (expected, actual) = (Tokenizer.FromFolder(folder.ToString()), Tokenizer.FromGguf(metadata.File.Metadata));
        foreach (var text in File.ReadAllText(Fixtures.Path("fixtures", "tokenizers_gguf_vocab", $"ggml-vocab-{texts}.gguf.inp")).Split("\n__ggml_vocab_test__\n"))
        {
            var ids = expected.Encode(text, parseSpecial: true);
            Assert.Equal(ids, actual.Encode(text, parseSpecial: true));
            Assert.Equal(expected.Decode(ids), actual.Decode(ids));
        }
        Assert.Equal((expected.BosId, expected.EosId, expected.PadId, expected.UnknownId, expected.AddBos), (actual.BosId, actual.EosId, actual.PadId, actual.UnknownId, actual.AddBos));
        Assert.Equal(expected.EndOfGeneration.Order(), actual.EndOfGeneration.Order());
    }

    [Fact]
    public void Add_OfPhi3_WritesTheTokensThatLlamaCppsConverterWrites()
    {
        using var folder = new TemporaryFolder();
        File.Copy(Fixtures.Path("fixtures", "tokenizers_hf_json", "phi-3-mini__tokenizer.json"), folder["tokenizer.json"]);
        var keys = KeysOf(folder, 32064);
        using var file = GgufFile.Open(Fixtures.Path("fixtures", "tokenizers_gguf_vocab", "ggml-vocab-phi-3.gguf"));
        var kinds = file.Metadata.FindIntegers("tokenizer.ggml.token_type")!;
        var tokens = file.Metadata.FindStrings("tokenizer.ggml.tokens")!.ToArray();
        // Those behind it are of the chat and differ from one Phi-3 to the next.
        Assert.Equal(tokens[..32000], ((string[])keys["tokenizer.ggml.tokens"])[..32000]);
        Assert.Equal(kinds[3..32000], ((int[])keys["tokenizer.ggml.token_type"])[3..32000]);
        // Pieces that no merge makes come last in either file.
        var (scores, merged) = (file.Metadata.FindNumbers("tokenizer.ggml.scores")!, Enumerable.Range(259, 32000 - 259).ToList());
        merged.RemoveAll(id => scores[id] < -1e8);
        Assert.Equal(merged.OrderByDescending(id => scores[id]), merged.OrderByDescending(id => ((float[])keys["tokenizer.ggml.scores"])[id]));
        Assert.True(merged.Count > 31000);
    }

    [Fact]
    public void Add_OfMiniLm_WritesWhatLlamaCppsConverterWrites()
    {
        using var folder = new TemporaryFolder();
        foreach (var name in (string[])["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"])
            File.Copy(Fixtures.Path("models", "all_minilm_l6_v2", name), folder[name]);
        var keys = KeysOf(folder, 30522);
        using var file = GgufFile.Open(Fixtures.Path("models", "all_minilm_l6_v2", "all-MiniLM-L6-v2-q8_0.gguf"));
        Assert.Equal(file.Metadata.FindStrings("tokenizer.ggml.tokens")!.ToArray(), (string[])keys["tokenizer.ggml.tokens"]);
        foreach (var key in (string[])["bos", "eos", "unknown", "seperator", "padding", "mask"])
            Assert.Equal(file.Metadata.FindInteger($"tokenizer.ggml.{key}_token_id"), (uint)keys[$"tokenizer.ggml.{key}_token_id"]);
        foreach (var key in (string[])["add_bos_token", "add_eos_token", "add_sep_token", "normalizer.lowercase"])
            Assert.Equal(file.Metadata.FindBoolean($"tokenizer.ggml.{key}"), keys[$"tokenizer.ggml.{key}"]);
    }

    [Fact]
    public void Convert_OfAModelWithTokenizerAndTemplate_CarriesBoth()
    {
        using var folder = new TemporaryFolder();
        using var tiny = new TinySafetensors(folder, rows: 300);
        File.WriteAllText(folder["tokenizer.json"], SmallTokenizer("BPE"));
        File.WriteAllText(folder["tokenizer_config.json"], """{"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": true, "chat_template": "{{ messages[0].content }}!"}""");
        File.WriteAllText(folder["generation_config.json"], """{"eos_token_id": [258, 259]}""");
        ModelConversion.Convert(folder.ToString(), folder["x.gguf"], ConversionType.Find("q8_0")!, cancellation: TestContext.Current.CancellationToken);
        using var from = Model.Load(folder.ToString());
        using var to = Model.Load(folder["x.gguf"]);
        Assert.Equal(from.Tokenizer.Encode("aab ab <s>", parseSpecial: true), to.Tokenizer.Encode("aab ab <s>", parseSpecial: true));
        Assert.Equal((257, 258, true), (to.Tokenizer.BosId, to.Tokenizer.EosId, to.Tokenizer.AddBos));
        Assert.Equal([258, 259], to.Tokenizer.EndOfGeneration.Order());
        Assert.Equal("[PAD299]", to.Tokenizer.Piece(299));
        using var file = GgufFile.Open(folder["x.gguf"]);
        Assert.Equal("{{ messages[0].content }}!", file.Metadata.FindString("tokenizer.chat_template"));
        Assert.Equal(TensorType.Q8_0, file.GetTensor("blk.0.ffn_up.weight").Type);
    }

    [Theory]
    [InlineData("WordLevel", 300, "its model is WordLevel, not BPE, Unigram or WordPiece")]
    [InlineData("BPE", 200, "260 tokens, the model has embeddings of 200")]
    public void Convert_WhereTheTokenizerCantGoAlong_Refuses(string type, int rows, string message)
    {
        using var folder = new TemporaryFolder();
        using var tiny = new TinySafetensors(folder, rows);
        File.WriteAllText(folder["tokenizer.json"], SmallTokenizer(type));
        var refusal = Assert.Throws<NotSupportedException>(() => ModelConversion.Convert(folder.ToString(), folder["x.gguf"], ConversionType.Find("f16")!, cancellation: TestContext.Current.CancellationToken));
        Assert.Contains(message, refusal.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(folder["x.gguf"]));
    }

    private static Dictionary<string, object> KeysOf(TemporaryFolder folder, int rows)
    {
        using var tiny = new TinySafetensors(folder, rows: 8);
        using var source = ModelSource.Open(folder.ToString());
        var keys = new Dictionary<string, object>();
        TokenizerKeys.Add(keys, source, rows);
        return keys;
    }

    // All bytes, one merge, three marks of which only two have a role.
    internal static string SmallTokenizer(string type)
    {
        var vocabulary = new JsonObject();
        for (var b = 0; b < 256; b++)
            vocabulary[((char)(b is >= 33 and <= 126 or >= 161 and <= 172 or >= 174 ? b : 256 + Hidden(b))).ToString()] = b;
        vocabulary["ab"] = 256;
        var added = new JsonArray();
        foreach (var (token, id) in (ReadOnlySpan<(string, int)>)[("<s>", 257), ("</s>", 258), ("<|mine|>", 259)])
            added.Add(new JsonObject { ["id"] = id, ["content"] = token, ["special"] = true });
        return new JsonObject
        {
            ["added_tokens"] = added,
            ["pre_tokenizer"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["use_regex"] = true },
            ["decoder"] = new JsonObject { ["type"] = "ByteLevel" },
            ["model"] = new JsonObject { ["type"] = type, ["vocab"] = vocabulary, ["merges"] = new JsonArray("a b") },
        }.ToJsonString();
    }

    private static int Hidden(int b) => b < 33 ? b : b < 161 ? b - 127 + 33 : 67;
}
