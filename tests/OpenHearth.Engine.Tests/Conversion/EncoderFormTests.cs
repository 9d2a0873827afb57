using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenHearth.Engine.Conversion;
using OpenHearth.Engine.Embeddings;
using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Engine.Tests.Architectures;
using OpenHearth.Engine.Tests.Files;
using OpenHearth.Engine.Tokenization;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Engine.Tests.Conversion;

/// <summary>Encoders to GGUF and back with their tokenizers and poolings: the same texts give the same vectors, bit for bit.</summary>
public sealed class EncoderFormTests
{
    private static readonly string[] Texts = ["Hello world", "  two  blanks ", "a", "bad cab\n dea", "xyz ABC", ""];

    [Theory]
    [InlineData("bert", Pooling.Mean)]
    [InlineData("distilbert", Pooling.Cls)]
    [InlineData("xlm-roberta", Pooling.Cls)]
    [InlineData("roberta", Pooling.Last)]
    public void Convert_ThereAndBack_GivesTheSameVectors(string type, Pooling pooling)
    {
        var (tokenizer, roles) = TokenizerOf(type);
        var model = DistilBertTests.MakeUp(type, rows: 270);
        using var folder = new TemporaryFolder();
        var source = model.WriteSafetensors();
        try
        {
            File.WriteAllText(Path.Combine(source, "tokenizer.json"), tokenizer.ToJsonString());
            File.WriteAllText(Path.Combine(source, "tokenizer_config.json"), roles);
            Directory.CreateDirectory(Path.Combine(source, "1_Pooling"));
            File.WriteAllText(Path.Combine(source, "1_Pooling", "config.json"), $$"""{"pooling_mode_{{(pooling == Pooling.Mean ? "mean_tokens" : pooling == Pooling.Cls ? "cls_token" : "lasttoken")}}": true}""");
            Convert(source, folder["model.gguf"]);
            Convert(folder["model.gguf"], folder["back"]);
            MadeUpFormTests.AssertSame(source, folder["back"]);
            Assert.Equal(Vectors(source, pooling), Vectors(folder["back"], pooling));
            AssertSameTokenizer(source, folder["back"]);
            Assert.Equal(["1_Pooling", "config.json", "model.safetensors", "modules.json", "tokenizer.json", "tokenizer_config.json"],
                Directory.GetFileSystemEntries(folder["back"]).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
            var modules = JsonNode.Parse(File.ReadAllBytes(Path.Combine(folder["back"], "modules.json")))!.AsArray();
            Assert.Equal(["0 Transformer", "1 1_Pooling Pooling", "2 2_Normalize Normalize"], modules.Select(module => $"{module!["idx"]} {module["path"]} {module["type"]!.ToString().Split('.')[^1]}".Replace("  ", " ", StringComparison.Ordinal)));
            var config = JsonNode.Parse(File.ReadAllBytes(Path.Combine(folder["back"], "tokenizer_config.json")))!;
            Assert.All(JsonNode.Parse(roles)!.AsObject(), role => Assert.Equal((string)role.Value!, (string?)config[role.Key]));
            Assert.Equal(tokenizer["model"]!["type"]!.ToString() != "WordPiece", config.AsObject().ContainsKey("model_input_names"));
            // RoBERTa's positions count two more than a text can have.
            Assert.Equal(type.EndsWith("roberta", StringComparison.Ordinal) ? 62 : 64, (int)config["model_max_length"]!);
            Assert.Equal(24, (int)JsonNode.Parse(File.ReadAllBytes(Path.Combine(folder["back"], "1_Pooling", "config.json")))!["word_embedding_dimension"]!);
        }
        finally
        {
            Directory.Delete(source, recursive: true);
        }
    }

    // The class knows one epsilon, which its config can't say.
    [Fact]
    public void Convert_OfADistilBertWithAnotherEpsilon_Refuses()
    {
        using var tiny = new TinyBert();
        using var folder = new TemporaryFolder();
        Assert.Contains("can't say all that this model is (step 3, LayerNormOp: epsilon 1E-05 becomes 1E-12)", Assert.Throws<NotSupportedException>(() => Convert(tiny.Path, folder["out"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Convert_OfAModelThatScoresPairs_Refuses()
    {
        using var folder = new TemporaryFolder();
        var source = DistilBertTests.MakeUp("bert", rows: 20).WriteSafetensors();
        try
        {
            Convert(source, folder["model.gguf"]);
        }
        finally
        {
            Directory.Delete(source, recursive: true);
        }
        Rewrite(folder["model.gguf"], folder["ranks.gguf"], writer => writer.AddTensor("cls.weight", TensorType.F32, [24, 24], stream => stream.Write(new byte[24 * 24 * 4])));
        Assert.Contains("the tensor 'cls.weight' is no part of an encoder", Assert.Throws<NotSupportedException>(() => Convert(folder["ranks.gguf"], folder["out"])).Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["out"]));
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void Convert_OfUnigram_TreatsBlanksAsTheFileSays(bool prefix, bool collapses)
    {
        const string prefixKey = "tokenizer.ggml.add_space_prefix", collapsesKey = "tokenizer.ggml.remove_extra_whitespaces";
        using var folder = new TemporaryFolder();
        var source = DistilBertTests.MakeUp("xlm-roberta", rows: 60).WriteSafetensors();
        try
        {
            File.WriteAllText(Path.Combine(source, "tokenizer.json"), TokenizerOf("xlm-roberta").File.ToJsonString());
            Convert(source, folder["model.gguf"]);
        }
        finally
        {
            Directory.Delete(source, recursive: true);
        }
        Rewrite(folder["model.gguf"], folder["other.gguf"], writer =>
        {
            writer.Add(prefixKey, prefix);
            writer.Add(collapsesKey, collapses);
        }, prefixKey, collapsesKey);
        Convert(folder["other.gguf"], folder["back"]);
        var (from, to) = (Tokenizer.FromFile(folder["other.gguf"]), Tokenizer.FromFolder(folder["back"]));
        Assert.Equal((prefix, collapses), (from.Encode("a", addSpecial: false).Length == 2, from.Encode("b  b", addSpecial: false).Length == from.Encode("b b", addSpecial: false).Length));
        foreach (var text in Texts)
        {
            var ids = from.Encode(text);
            Assert.Equal(ids, to.Encode(text));
            Assert.Equal(from.Decode(ids), to.Decode(ids));
        }
    }

    // Rows before the padding token's are made, so it has to be a token.
    [Theory]
    [InlineData(uint.MaxValue, 1)]
    [InlineData(200_000_000u, 1)]
    [InlineData(20u, 1)]
    [InlineData(19u, 19)]
    public void Convert_OfXlmRoberta_CountsFromBehindThePaddingTokenIfThereIsSuch(uint said, int padding)
    {
        using var folder = new TemporaryFolder();
        var source = DistilBertTests.MakeUp("xlm-roberta", rows: 20).WriteSafetensors();
        try
        {
            Convert(source, folder["model.gguf"]);
            Rewrite(folder["model.gguf"], folder["other.gguf"], writer => writer.Add("tokenizer.ggml.padding_token_id", said));
            Convert(folder["other.gguf"], folder["back"]);
            var config = JsonNode.Parse(File.ReadAllBytes(Path.Combine(folder["back"], "config.json")))!;
            Assert.Equal((padding, 62 + padding + 1), ((int)config["pad_token_id"]!, (int)config["max_position_embeddings"]!));
            Assert.Equal(Hidden(source), Hidden(folder["back"]));
        }
        finally
        {
            Directory.Delete(source, recursive: true);
        }
    }

    [Fact]
    public void Convert_OfMiniLm_GivesItsVectorsAndTokens()
    {
        var original = Fixtures.Path("models", "all_minilm_l6_v2", "all-MiniLM-L6-v2-q8_0.gguf");
        using var json = JsonDocument.Parse(File.ReadAllBytes(Fixtures.Path("fixtures", "minilm", "expected.json")));
        var texts = json.RootElement.GetProperty("texts").EnumerateArray().Select(text => text.GetString()!).ToArray();
        var ids = json.RootElement.GetProperty("ids").EnumerateArray().Select(row => row.EnumerateArray().Select(id => id.GetInt32()).ToArray()).ToArray();
        var expected = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(Fixtures.Path("fixtures", "minilm", "expected.f32"))).ToArray();
        using var folder = new TemporaryFolder();
        Convert(original, folder["out"]);
        using var from = Model.Load(original, new ModelOptions { Exact = true, Threads = 2 });
        using var to = Model.Load(folder["out"], new ModelOptions { Exact = true, Threads = 2 });
        using var before = new Embedder(from);
        using var after = new Embedder(to);
        Assert.Equal(Pooling.Mean, after.Pooling);
        var (one, other) = (before.EmbedIds(ids, TestContext.Current.CancellationToken), after.EmbedIds(ids, TestContext.Current.CancellationToken));
        for (var i = 0; i < texts.Length; i++)
        {
            Assert.InRange(one[i].Zip(other[i], (a, b) => Math.Abs(a - b)).Max(), 0, 1e-6f);
            Assert.True(other[i].Zip(expected.AsSpan(i * 384, 384).ToArray(), (a, b) => (double)a * b).Sum() >= 0.9999, $"text {i}");
            Assert.Equal(from.Tokenizer.Encode(texts[i], parseSpecial: true), to.Tokenizer.Encode(texts[i], parseSpecial: true));
        }
        // And as the model's own files have it.
        var keys = JsonNode.Parse(File.ReadAllBytes(Path.Combine(folder["out"], "config.json")))!.AsObject();
        foreach (var (key, value) in JsonNode.Parse(File.ReadAllBytes(Fixtures.Path("models", "all_minilm_l6_v2", "config.json")))!.AsObject().Where(key => keys.ContainsKey(key.Key)))
            Assert.True(HuggingFaceFormTests.Same(value, keys[key]), $"{key}: {keys[key]}, not {value}");
        var pieces = JsonNode.Parse(File.ReadAllBytes(Path.Combine(folder["out"], "tokenizer.json")))!;
        var own = JsonNode.Parse(File.ReadAllBytes(Fixtures.Path("models", "all_minilm_l6_v2", "tokenizer.json")))!;
        foreach (var part in (string[])["normalizer", "pre_tokenizer", "post_processor", "decoder", "model"])
            Assert.True(HuggingFaceFormTests.Same(own[part], pieces[part]), part);
        // Hugging Face's tokenizers refuse a file that leaves a flag of these out.
        Assert.True(JsonNode.DeepEquals(own["added_tokens"], pieces["added_tokens"]));
        Assert.Equal(own["model"]!["vocab"]!.AsObject().Count, pieces["model"]!["vocab"]!.AsObject().Count);
    }

    [Theory]
    [InlineData("../models/all_minilm_l6_v2/tokenizer.json", "bert-bge", 30522)]
    [InlineData("tokenizers_hf_json/tokenizer__t5-small__tokenizer.json", "llama-spm", 32128)]
    public void Convert_ThereAndBack_KeepsARealTokenizer(string file, string texts, int rows)
    {
        using var folder = new TemporaryFolder();
        var source = DistilBertTests.MakeUp("bert", rows).WriteSafetensors();
        try
        {
            File.Copy(Fixtures.Path(["fixtures", .. file.Split('/')]), Path.Combine(source, "tokenizer.json"));
            Convert(source, folder["model.gguf"]);
            Convert(folder["model.gguf"], folder["back"]);
            AssertSameTokenizer(source, folder["back"], File.ReadAllText(Fixtures.Path("fixtures", "tokenizers_gguf_vocab", $"ggml-vocab-{texts}.gguf.inp")).Split("\n__ggml_vocab_test__\n"));
        }
        finally
        {
            Directory.Delete(source, recursive: true);
        }
    }

    private static void AssertSameTokenizer(string expected, string actual, params string[] more)
    {
        var (from, to) = (Tokenizer.FromFolder(expected), Tokenizer.FromFolder(actual));
        foreach (var text in Texts.Concat(more))
        {
            var ids = from.Encode(text, parseSpecial: true);
            Assert.Equal(ids, to.Encode(text, parseSpecial: true));
            Assert.Equal(from.Decode(ids), to.Decode(ids));
        }
        Assert.Equal((from.BosId, from.EosId, from.PadId, from.UnknownId, from.SeparatorId, from.MaskId), (to.BosId, to.EosId, to.PadId, to.UnknownId, to.SeparatorId, to.MaskId));
    }

    private static float[] Vectors(string path, Pooling pooling)
    {
        using var model = Model.Load(path, new ModelOptions { Exact = true, Threads = 2 });
        Assert.Empty(model.UnusedTensors);
        using var embedder = new Embedder(model);
        Assert.Equal(pooling, embedder.Pooling);
        return [.. embedder.Embed(Texts, TestContext.Current.CancellationToken).SelectMany(vector => vector)];
    }

    private static float[] Hidden(string path)
    {
        using var model = Model.Load(path, new ModelOptions { Exact = true, Threads = 2 });
        using var session = model.CreateSession();
        var hidden = new float[5 * model.Info.OutputWidth];
        session.Step([0, 7, 11, 3, 2], hidden);
        return hidden;
    }

    private static void Rewrite(string from, string to, Action<GgufWriter> add, params ReadOnlySpan<string> without)
    {
        using var file = GgufFile.Open(from);
        var writer = new GgufWriter();
        foreach (var key in file.Metadata.Keys)
        {
            if (!without.Contains(key))
                writer.Add(key, file.Metadata.TryGet(key, out var value) ? value : throw file.Metadata.Missing(key));
        }
        foreach (var tensor in file.Tensors)
            writer.AddTensor(tensor.Name, tensor.Type, [.. tensor.Dimensions], stream => stream.Write(tensor.Data.Span(0, (int)tensor.ByteLength)));
        add(writer);
        writer.Write(to, TestContext.Current.CancellationToken);
    }

    private static void Convert(string model, string output) =>
        ModelConversion.Convert(model, output, ConversionType.Find("f32")!, cancellation: TestContext.Current.CancellationToken);

    // Letters and a few words, of the kind that the class's own models have.
    private static (JsonObject File, string Roles) TokenizerOf(string type) => type switch
    {
        "roberta" => (ByteLevel(), """{"bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>", "mask_token": "<mask>"}"""),
        "xlm-roberta" => (Unigram(), """{"bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>", "mask_token": "<mask>", "pad_token": "<pad>"}"""),
        _ => (WordPiece(lowers: type == "bert"), """{"unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]", "mask_token": "[MASK]"}"""),
    };

    private static JsonObject WordPiece(bool lowers)
    {
        string[] special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
        var letters = "abcdefghijklmnopqrstuvwxyz.,'".Select(letter => $"{letter}").ToArray();
        string[] pieces = [.. special, "[unused0]", .. letters, .. letters.Select(letter => $"##{letter}"), "hello", "world", "##wo", "##ks", "##"];
        var vocabulary = new JsonObject(pieces.Select((piece, id) => KeyValuePair.Create<string, JsonNode?>(piece, id)));
        return Root(special, new JsonObject { ["type"] = "BertNormalizer", ["clean_text"] = true, ["handle_chinese_chars"] = true, ["strip_accents"] = null, ["lowercase"] = lowers },
            new JsonObject { ["type"] = "BertPreTokenizer" }, new JsonObject { ["type"] = "BertProcessing", ["sep"] = new JsonArray("[SEP]", 3), ["cls"] = new JsonArray("[CLS]", 2) },
            new JsonObject { ["type"] = "WordPiece", ["prefix"] = "##", ["cleanup"] = true },
            new JsonObject { ["type"] = "WordPiece", ["unk_token"] = "[UNK]", ["continuing_subword_prefix"] = "##", ["max_input_chars_per_word"] = 100, ["vocab"] = vocabulary });
    }

    private static JsonObject Unigram()
    {
        string[] special = ["<s>", "<pad>", "</s>", "<unk>"];
        string[] pieces = [.. special, "\u2581", .. "abcdefghijklmnopqrstuvwxyzABCDEFGH.,'".Select(letter => $"{letter}"), "\u2581two", "\u2581world", "Hello", "an", "\u2581b"];
        var vocabulary = new JsonArray([.. pieces.Select((piece, id) => new JsonArray(piece, id < 4 ? 0 : -2 - (0.13 * (id % 7)) + (piece.Length / 2))), new JsonArray("<mask>", 0)]);
        JsonObject Metaspace() => new() { ["type"] = "Metaspace", ["replacement"] = "\u2581", ["prepend_scheme"] = "always" };
        var normalizers = new JsonArray(new JsonObject { ["type"] = "Strip", ["strip_left"] = false, ["strip_right"] = true },
            new JsonObject { ["type"] = "Replace", ["pattern"] = new JsonObject { ["Regex"] = " {2,}" }, ["content"] = "\u2581" });
        return Root(special, new JsonObject { ["type"] = "Sequence", ["normalizers"] = normalizers }, Metaspace(), Around(), Metaspace(),
            new JsonObject { ["type"] = "Unigram", ["unk_id"] = 3, ["vocab"] = vocabulary }, "<mask>", pieces.Length);
    }

    private static JsonObject ByteLevel()
    {
        var file = JsonNode.Parse(TokenizerKeysTests.SmallTokenizer("BPE"))!.AsObject();
        var added = new JsonArray();
        foreach (var (token, id) in (ReadOnlySpan<(string, int)>)[("<s>", 257), ("</s>", 258), ("<mask>", 259)])
            added.Add(new JsonObject { ["id"] = id, ["content"] = token, ["special"] = true, ["normalized"] = false });
        file["added_tokens"] = added;
        file["post_processor"] = new JsonObject { ["type"] = "RobertaProcessing", ["sep"] = new JsonArray("</s>", 258), ["cls"] = new JsonArray("<s>", 257), ["trim_offsets"] = true, ["add_prefix_space"] = false };
        return file;
    }

    private static JsonObject Around()
    {
        JsonObject Part(string kind, string id) => new() { [kind] = new JsonObject { ["id"] = id, ["type_id"] = 0 } };
        JsonObject Token(string piece, int id) => new() { ["id"] = piece, ["ids"] = new JsonArray(id), ["tokens"] = new JsonArray(piece) };
        return new JsonObject
        {
            ["type"] = "TemplateProcessing",
            ["single"] = new JsonArray(Part("SpecialToken", "<s>"), Part("Sequence", "A"), Part("SpecialToken", "</s>")),
            ["special_tokens"] = new JsonObject { ["<s>"] = Token("<s>", 0), ["</s>"] = Token("</s>", 2) },
        };
    }

    private static JsonObject Root(string[] special, JsonNode normalizer, JsonNode cut, JsonNode around, JsonNode decoder, JsonNode model, string? last = null, int lastId = 0)
    {
        var added = new JsonArray([.. special.Select((piece, id) => new JsonObject { ["id"] = id, ["content"] = piece, ["special"] = true, ["normalized"] = false })]);
        if (last is not null)
            added.Add(new JsonObject { ["id"] = lastId, ["content"] = last, ["special"] = true, ["normalized"] = false });
        return new JsonObject { ["version"] = "1.0", ["added_tokens"] = added, ["normalizer"] = normalizer, ["pre_tokenizer"] = cut, ["post_processor"] = around, ["decoder"] = decoder, ["model"] = model };
    }
}
