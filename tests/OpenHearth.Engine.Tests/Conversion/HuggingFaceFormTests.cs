using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using OpenHearth.Engine.Conversion;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Engine.Files.Safetensors;
using OpenHearth.Engine.Tests.Files;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Engine.Tests.Conversion;

/// <summary>GGUF files as folders of safetensors, against transformers' logits and the folders that transformers' classes wrote.</summary>
public sealed class HuggingFaceFormTests
{
    private static readonly string[] Pairs =
    [
        "bert", "bitnet", "bloom", "cohere2", "deepseek2-lite", "deepseek3", "deepseek3-yarn", "falcon-40b-style-dev", "falcon-7b-style", "gemma", "gemma2", "gemma3", "gemma4", "glm4-moe-lite",
        "glm4moe", "gpt-neox", "gpt-oss-truncate", "gpt2", "granite", "granite-hybrid", "kimi-linear", "lfm2", "llama", "llama-rope-yarn", "llama4", "mamba2", "minimax-m2", "mistral-swa",
        "mixtral", "mixtral-split", "modernbert", "mpt", "olmo", "olmo2", "olmo3", "olmoe", "phi3", "phi3-longrope-dev", "phimoe", "qwen2", "qwen2moe", "qwen3", "qwen3.5", "qwen3.5moe", "qwen3moe", "qwen3next",
        "smollm3", "stablelm", "starcoder2", "xlm-roberta",
    ];

    // Keys in which the folder says the same in another way than the fixture.
    private static readonly (string Fixture, string Key)[] SaidOtherwise =
    [
        // The width of feed-forward blocks may be left to be worked out.
        ("gpt2", "n_inner"),
        // The real width in place of one of which the class takes two thirds, rounded up.
        ("lfm2", "intermediate_size"), ("lfm2", "block_auto_adjust_ff_dim"),
        // "mamba" and "attention", as published models have it and classes of all versions read.
        ("granite-hybrid", "layer_types"),
    ];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Convert_OfGguf_GivesTheOriginalFolder(string name)
    {
        using var folder = new TemporaryFolder();
        var fixture = new ArchitectureFixture(name);
        var isBothForms = Directory.EnumerateFiles(fixture.Folder, "*.gguf").Any();
        if (!isBothForms)
            Convert(fixture.Form("safetensors"), folder["model.gguf"]);
        ModelConversion.Convert(isBothForms ? fixture.Form("gguf") : folder["model.gguf"], folder["out"], ConversionType.Find("bf16")!, cancellation: TestContext.Current.CancellationToken);
        using (var model = Model.Load(folder["out"], new ModelOptions { Exact = true, Threads = 2 }))
        {
            Assert.Empty(model.UnusedTensors);
            using var session = model.CreateSession();
            var logits = new float[fixture.Expected.Length];
            session.Step(fixture.Ids, logits);
            Assert.InRange(fixture.Error(logits), 0, 1e-4);
        }
        using var expected = SafetensorsModel.Open(fixture.Folder);
        using var actual = SafetensorsModel.Open(folder["out"]);
        Assert.Equal(expected.Tensors.Where(tensor => !tensor.Name.EndsWith("_scales", StringComparison.Ordinal) && !tensor.Name.StartsWith("pooler.", StringComparison.Ordinal)).Select(Written).Order(StringComparer.Ordinal), actual.Tensors.Select(tensor => tensor.Name).Order(StringComparer.Ordinal));
        foreach (var tensor in expected.Tensors.Where(tensor => tensor.Type != TensorType.U8 && !tensor.Name.StartsWith("pooler.", StringComparison.Ordinal)))
        {
            var copy = actual.GetTensor(tensor.Name, [.. tensor.Shape]);
            // Rows that no position turns came in another order and stay in it.
            if (name == "smollm3" && tensor.Name is "model.layers.3.self_attn.q_proj.weight" or "model.layers.3.self_attn.k_proj.weight")
                continue;
            // Positions that no token has are not in GGUF files.
            var skipped = name == "xlm-roberta" && tensor.Name == "embeddings.position_embeddings.weight" ? 2 * 64 * sizeof(ushort) : 0;
            Assert.Equal(-1, copy.Data.Span(0, skipped).IndexOfAnyExcept((byte)0));
            Assert.True(tensor.Data.Span(0, (int)tensor.Data.Length)[skipped..].SequenceEqual(copy.Data.Span(0, (int)copy.Data.Length)[skipped..]), $"{tensor.Name}: the numbers are others");
        }
        foreach (var tensor in expected.Tensors.Where(tensor => tensor.Name.EndsWith("_blocks", StringComparison.Ordinal)))
        {
            var unpacked = Unpack(tensor, expected.GetTensor(Written(tensor) + "_scales", [.. tensor.Shape.Take(3)]));
            var copy = actual.GetTensor(Written(tensor), tensor.Shape[0], tensor.Shape[2] * 32, tensor.Shape[1]);
            // GGUF's zeros have no sign.
            var numbers = MemoryMarshal.Cast<byte, ushort>(copy.Data.Span(0, (int)copy.Data.Length)).ToArray().Select(bits => BitConverter.UInt32BitsToSingle((uint)bits << 16));
            Assert.True(unpacked.SequenceEqual(numbers), $"{copy.Name}: the numbers are others");
        }
        var original = JsonNode.Parse(File.ReadAllBytes(Path.Combine(fixture.Folder, "config.json")))!.AsObject();
        // GGUF has one name for these and DeepSeek V3, whose class computes the same.
        if (name == "glm4-moe-lite")
            (original["model_type"], original["architectures"]) = ("deepseek_v3", new JsonArray("DeepseekV3ForCausalLM"));
        // Qwen's layers up to there have no window; none has. The width of heads may be left to be worked out.
        var written = JsonNode.Parse(File.ReadAllBytes(Path.Combine(folder["out"], "config.json")))!.AsObject();
        // What a class takes for absent unless it is said.
        foreach (var key in new[] { "use_qkv_bias", "lm_head_bias" }.Where(key => (bool?)original[key] == true))
            Assert.True((bool?)written[key], key);
        Assert.Equal([], written.Where(entry => entry.Key != "max_window_layers" && !SaidOtherwise.Contains((name, entry.Key)) && (entry.Key, original[entry.Key]) is not ("head_dim", null) && original.ContainsKey(entry.Key) && !Same(original[entry.Key], entry.Value)).Select(entry => $"{entry.Key}: {entry.Value?.ToJsonString()}, not {original[entry.Key]?.ToJsonString()}"));
    }

    // Files from before llama.cpp split the matrix of everything have it as the folder does.
    [Fact]
    public void Convert_OfQwen3NextsOlderForm_GivesTheSameFolder()
    {
        var fixture = new ArchitectureFixture("qwen3next");
        using var folder = new TemporaryFolder();
        var older = OlderQwen3Next(fixture, folder["older.gguf"]);
        Convert(older, folder["out"], "bf16");
        using var expected = SafetensorsModel.Open(fixture.Folder);
        using var actual = SafetensorsModel.Open(folder["out"]);
        Assert.Equal(expected.Tensors.Select(tensor => tensor.Name).Order(StringComparer.Ordinal), actual.Tensors.Select(tensor => tensor.Name).Order(StringComparer.Ordinal));
        foreach (var tensor in expected.Tensors)
        {
            var copy = actual.GetTensor(tensor.Name, [.. tensor.Shape]);
            Assert.True(tensor.Data.Span(0, (int)tensor.Data.Length).SequenceEqual(copy.Data.Span(0, (int)copy.Data.Length)), tensor.Name);
        }
    }

    private static string OlderQwen3Next(ArchitectureFixture fixture, string path)
    {
        using var file = GgufFile.Open(fixture.Form("gguf"));
        using var folder = SafetensorsModel.Open(fixture.Folder);
        var writer = new GgufWriter();
        foreach (var key in file.Metadata.Keys)
        {
            Assert.True(file.Metadata.TryGet(key, out var value));
            writer.Add(key, value);
        }
        foreach (var tensor in file.Tensors.Where(tensor => !tensor.Name.EndsWith(".attn_gate.weight", StringComparison.Ordinal)))
        {
            var layer = tensor.Name.Split('.')[1];
            if (!tensor.Name.EndsWith(".attn_qkv.weight", StringComparison.Ordinal))
            {
                writer.AddTensor(tensor.Name, tensor.Type, [.. tensor.Dimensions], stream => stream.Write(tensor.Data.Span(0, (int)tensor.ByteLength)));
                continue;
            }
            Assert.True(folder.TryGetTensor($"model.layers.{layer}.linear_attn.in_proj_qkvz.weight", out var whole));
            writer.AddTensor($"blk.{layer}.ssm_in.weight", whole!.Type, [.. whole.Shape.Reverse()], stream => stream.Write(whole.Data.Span(0, (int)whole.Data.Length)));
        }
        writer.Write(path, TestContext.Current.CancellationToken);
        return path;
    }

    [Theory]
    [InlineData("qwen3.5")]
    [InlineData("bloom")]
    [InlineData("gpt2")]
    public void Convert_OfBlocks_DecodesThemWhereHeadsOrRowsChangePlaces(string name)
    {
        using var folder = new TemporaryFolder();
        var fixture = new ArchitectureFixture(name);
        Convert(fixture.Form("safetensors"), folder["model.gguf"], "q8_0");
        Convert(folder["model.gguf"], folder["out"]);
        using var from = Model.Load(folder["model.gguf"], new ModelOptions { Exact = true });
        using var to = Model.Load(folder["out"], new ModelOptions { Exact = true });
        Assert.Contains(from.Info.TensorTypes, type => type.Type == "Q8_0");
        Assert.InRange(LogitComparison.Error(Logits(from), Logits(to)), 0, 1e-5);
    }

    [Theory]
    [InlineData("deepseek3")]
    [InlineData("glm4moe")]
    [InlineData("qwen3.5moe")]
    [InlineData("qwen3next")]
    public void Convert_OfLayersThatPredictFurtherTokens_LeavesThemOut(string name)
    {
        var fixture = new ArchitectureFixture(name);
        var model = EditableModel.Read(fixture, "gguf");
        var layers = (uint)model.Metadata["block_count"];
        model.Metadata["block_count"] = layers + 1;
        model.Metadata["nextn_predict_layers"] = 1u;
        model.SetRandom($"blk.{layers}.nextn.eh_proj.weight", 1, 0, 64, 128);
        using var folder = new TemporaryFolder();
        File.Move(model.WriteGguf(GgufFormTests.GgufName(name)), folder["model.gguf"]);
        Convert(folder["model.gguf"], folder["out"]);
        Assert.Equal(layers, (uint)JsonNode.Parse(File.ReadAllBytes(Path.Combine(folder["out"], "config.json")))!["num_hidden_layers"]!);
        using var file = Model.Load(folder["model.gguf"], new ModelOptions { Exact = true });
        Assert.Equal([$"blk.{layers}.nextn.eh_proj.weight"], file.UnusedTensors);
        using var written = Model.Load(folder["out"], new ModelOptions { Exact = true });
        Assert.Empty(written.UnusedTensors);
        using var original = Model.Load(fixture.Form("safetensors"), new ModelOptions { Exact = true });
        Assert.InRange(LogitComparison.Error(Logits(original), Logits(file)), 0, 1e-5);
        Assert.InRange(LogitComparison.Error(Logits(original), Logits(written)), 0, 1e-5);
    }

    // A file's feed-forward block can have any width, the class knows multiples of the model's alone.
    [Fact]
    public void Convert_OfWhatNoConfigDeclares_SaysThatTheFormCant()
    {
        var model = EditableModel.Read(new ArchitectureFixture("mpt"), "gguf");
        model.Metadata["feed_forward_length"] = 200u;
        for (var layer = 0; layer < 2; layer++)
            model.SetRandom($"blk.{layer}.ffn_up.weight", layer, 0, 200, 64).SetRandom($"blk.{layer}.ffn_down.weight", layer, 0, 64, 200);
        using var folder = new TemporaryFolder();
        var path = model.WriteGguf("mpt");
        try
        {
            Assert.Contains("a config.json of mpt can't say all that this model is", Assert.Throws<NotSupportedException>(() => Convert(path, folder["out"])).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Convert_OfDivisorsOfNoKnownScaling_Refuses()
    {
        using var folder = new TemporaryFolder();
        var refusal = Assert.Throws<NotSupportedException>(() => Convert(new ArchitectureFixture("llama-rope-llama3-tied").Form("gguf"), folder["out"]));
        Assert.Contains("can't say all that this model is (step 0, RopeAnglesOp", refusal.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["out"]));
    }

    [Fact]
    public void Convert_OfAFamilyThatIsNotProven_Refuses()
    {
        using var folder = new TemporaryFolder();
        var path = new EditableModel().SetRandom("x", 1, 0, 4).WriteGguf("rwkv4");
        try
        {
            Assert.Contains("rwkv4 models to safetensors is not proven yet", Assert.Throws<NotSupportedException>(() => Convert(path, folder["out"])).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
        Assert.False(Directory.Exists(folder["out"]));
    }

    [Fact]
    public void Proven_Families_AreThoseTestedHere() =>
        Assert.Equal(HuggingFaceForm.Proven.Order(StringComparer.Ordinal), Pairs.Select(GgufFormTests.GgufName).Concat(MadeUpFormTests.FamiliesBothWays).Distinct().Order(StringComparer.Ordinal));

    [Fact]
    public void Convert_ThereAndBack_GivesTheSameModelWithItsTokenizer()
    {
        using var folder = new TemporaryFolder();
        using var tiny = new TinySafetensors(folder, rows: 300, ("rope_scaling", new Dictionary<string, object>
        {
            ["rope_type"] = "llama3",
            ["factor"] = 32,
            ["low_freq_factor"] = 1,
            ["high_freq_factor"] = 4,
            ["original_max_position_embeddings"] = 8192,
        }));
        File.WriteAllText(folder["tokenizer.json"], TokenizerKeysTests.SmallTokenizer("BPE"));
        File.WriteAllText(folder["tokenizer_config.json"], """{"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": true, "chat_template": "{{ messages[0].content }}!"}""");
        Convert(folder.ToString(), folder["x.gguf"]);
        Convert(folder["x.gguf"], folder["back"]);
        using var from = Model.Load(folder.ToString(), new ModelOptions { Exact = true });
        using var to = Model.Load(folder["back"], new ModelOptions { Exact = true });
        Assert.InRange(LogitComparison.Error(Logits(from), Logits(to)), 0, 1e-5);
        const string Text = "aab ab, don't <s> <|mine|> 123";
        Assert.Equal(from.Tokenizer.Encode(Text, parseSpecial: true), to.Tokenizer.Encode(Text, parseSpecial: true));
        Assert.Equal((257, 258, true), (to.Tokenizer.BosId, to.Tokenizer.EosId, to.Tokenizer.AddBos));
        Assert.Equal(from.Tokenizer.EndOfGeneration.Order(), to.Tokenizer.EndOfGeneration.Order());
        Assert.Equal("{{ messages[0].content }}!", JsonNode.Parse(File.ReadAllBytes(Path.Combine(folder["back"], "tokenizer_config.json")))!["chat_template"]!.ToString());
    }

    [Fact]
    public void Convert_OfSmolLm2_KeepsItsTokenizer()
    {
        using var folder = new TemporaryFolder();
        var original = Path.Combine(Fixtures.Checkout, "models", "SmolLM2-135M-Instruct.Q4_1.gguf");
        Convert(original, folder["out"], "bf16");
        using var from = Model.Load(original);
        using var to = Model.Load(folder["out"]);
        foreach (var text in (string[])["Grüße, 12345 tokens!\n\n  x = [1]; don't <|im_start|>user", "  a\tb  ", "中文 🚀"])
            Assert.Equal(from.Tokenizer.Encode(text, parseSpecial: true), to.Tokenizer.Encode(text, parseSpecial: true));
        Assert.Equal(from.Tokenizer.EndOfGeneration.Order(), to.Tokenizer.EndOfGeneration.Order());
        Assert.Equal(from.Info.VocabularySize, to.Info.VocabularySize);
    }

    [Fact]
    public void Convert_ToAFolderAfterItWasStopped_GoesOn()
    {
        using var model = new TinyLlama();
        using var folder = new TemporaryFolder();
        using var cancel = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => ModelConversion.Convert(model.Path, folder["out"], ConversionType.Find("f32")!, at =>
        {
            if (at.Number == 5)
                cancel.Cancel();
        }, cancel.Token));
        Assert.EndsWith(".partial", Assert.Single(Directory.GetFiles(folder["out"])), StringComparison.Ordinal);
        var count = 0;
        ModelConversion.Convert(model.Path, folder["out"], ConversionType.Find("f32")!, _ => count++, TestContext.Current.CancellationToken);
        Assert.Equal(21 - 4, count);
        Assert.Equal(["config.json", "model.safetensors"], Directory.GetFiles(folder["out"]).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal));
        Assert.Contains("is there already", Assert.Throws<IOException>(() => Convert(model.Path, folder["out"])).Message, StringComparison.Ordinal);
        Assert.Contains("no type q8_0", Assert.Throws<NotSupportedException>(() => Convert(model.Path, folder["new"], "q8_0")).Message, StringComparison.Ordinal);
        Assert.Contains("already", Assert.Throws<NotSupportedException>(() => Convert(folder["out"], folder["new"])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("notes.txt")]
    [InlineData("model.safetensors.partial")]
    [InlineData("folder/x")]
    public void Convert_ToAFolderWithOtherFiles_IsRefusedBeforeAnythingIsWritten(string name)
    {
        using var model = new TinyLlama();
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder["out"], name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, "mine");
        var refused = Assert.Throws<IOException>(() => Convert(model.Path, folder["out"]));
        Assert.Contains("name a new folder, or empty this one.", refused.Message, StringComparison.Ordinal);
        Assert.Equal([path], Directory.GetFiles(folder["out"], "*", SearchOption.AllDirectories));
        Assert.Equal("mine", File.ReadAllText(path));
        File.Delete(path);
        if (name.Contains('/'))
            Directory.Delete(Path.GetDirectoryName(path)!);
        Convert(model.Path, folder["out"]);
        Assert.True(File.Exists(Path.Combine(folder["out"], "config.json")));
    }

    [Fact]
    public void Convert_ToSeveralFiles_GoesOnAndGivesTheSameModel()
    {
        const long shardBytes = 20_000;
        using var model = new TinyLlama();
        using var folder = new TemporaryFolder();
        using var cancel = new CancellationTokenSource();
        var type = ConversionType.Find("f32")!;
        Assert.Throws<OperationCanceledException>(() => ModelConversion.Convert(model.Path, folder["out"], type, shardBytes, at =>
        {
            if (at.Number == 12)
                cancel.Cancel();
        }, cancel.Token));
        Assert.All(Directory.GetFiles(folder["out"]), file => Assert.EndsWith(".partial", file, StringComparison.Ordinal));
        var count = 0;
        var bytes = ModelConversion.Convert(model.Path, folder["out"], type, shardBytes, _ => count++, TestContext.Current.CancellationToken);
        Assert.Equal(21 - 11, count);
        Assert.Equal(Directory.GetFiles(folder["out"], "*.safetensors").Sum(file => new FileInfo(file).Length), bytes);
        var names = Directory.GetFiles(folder["out"]).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal).ToArray();
        Assert.InRange(names.Length, 4, 21);
        Assert.Equal(["config.json", .. Enumerable.Range(1, names.Length - 2).Select(i => $"model-{i:D5}-of-{names.Length - 2:D5}.safetensors"), "model.safetensors.index.json"], names);
        Convert(model.Path, folder["one"]);
        using var several = Model.Load(folder["out"]);
        using var one = Model.Load(folder["one"]);
        Assert.Equal(Logits(one), Logits(several));
    }

    [Fact]
    public void WriteSharded_WhereATensorCantBeMade_LeavesNothing()
    {
        using var folder = new TemporaryFolder();
        var writer = new SafetensorsWriter();
        writer.AddTensor("first", TensorType.F32, [4], stream => stream.Write(new byte[16]));
        writer.AddTensor("second", TensorType.F32, [4], _ => throw new ModelFormatException("damaged"));
        Assert.Throws<ModelFormatException>(() => writer.WriteSharded($"{folder}", 16, "here", [], TestContext.Current.CancellationToken));
        Assert.Empty(folder.Files);
    }

    public static TheoryData<string> Cases() => [.. Pairs];

    private static void Convert(string model, string output, string type = "f32") =>
        ModelConversion.Convert(model, output, ConversionType.Find(type)!, cancellation: TestContext.Current.CancellationToken);

    private static float[] Logits(Model model)
    {
        using var session = model.CreateSession(32);
        return [.. session.Step([7, 3, 11, 60, 2, 9, 33]).ToArray()];
    }

    // Experts in MXFP4 are written as plain ones, which the class reads as well.
    private static string Written(SafetensorsTensor tensor) => tensor.Name.EndsWith("_blocks", StringComparison.Ordinal) ? tensor.Name[..^"_blocks".Length] : tensor.Name;

    // [experts, rows, groups, 16] and [experts, rows, groups] to [experts, 32 · groups, rows]. Source: OCP Microscaling Formats 1.0, 2023.
    private static float[] Unpack(SafetensorsTensor blocks, SafetensorsTensor scales)
    {
        var (rows, columns) = ((int)blocks.Shape[1], 32 * (int)blocks.Shape[2]);
        ReadOnlySpan<float> numbers = [0, 0.5f, 1, 1.5f, 2, 3, 4, 6];
        var codes = blocks.Data.Span(0, (int)blocks.Data.Length);
        var exponents = scales.Data.Span(0, (int)scales.Data.Length);
        var result = new float[codes.Length * 2];
        for (var i = 0; i < result.Length; i++)
        {
            var code = (codes[i / 2] >> (4 * (i % 2))) & 15;
            var value = MathF.ScaleB(numbers[code & 7], exponents[i / 32] - 127);
            var (row, column) = Math.DivRem(i, columns);
            result[(((row / rows * columns) + column) * rows) + (row % rows)] = code < 8 ? value : -value;
        }
        return result;
    }

    // Of sections, keys that both have; of scaled rotations, all. "type" is an older name.
    internal static bool Same(JsonNode? expected, JsonNode? actual) => (expected, actual) switch
    {
        (JsonObject section, JsonObject other) when section.ContainsKey("factor") || section.ContainsKey("short_mscale") =>
            section.Count == other.Count && section.All(entry => Same(entry.Value, other[entry.Key == "type" && !other.ContainsKey("type") ? "rope_type" : entry.Key])),
        (JsonObject section, JsonObject other) => other.All(entry => !section.ContainsKey(entry.Key) || Same(section[entry.Key], entry.Value)),
        (JsonArray list, JsonArray other) => list.Count == other.Count && list.Zip(other).All(pair => Same(pair.First, pair.Second)),
        (JsonValue number, JsonValue other) when number.TryGetValue<double>(out var value) && other.TryGetValue<double>(out var found) => Math.Abs(value - found) <= 1e-6 * Math.Abs(value),
        _ => JsonNode.DeepEquals(expected, actual),
    };
}
