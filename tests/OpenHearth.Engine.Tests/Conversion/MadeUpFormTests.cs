using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using OpenHearth.Engine.Conversion;
using OpenHearth.Engine.Embeddings;
using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Engine.Files.Safetensors;
using OpenHearth.Engine.Tests.Architectures;
using OpenHearth.Engine.Tests.Files;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.Tests.Conversion;

/// <summary>Models that no fixture has, as GGUF files: results are those of the form that was converted. llama.cpp gave the same of each (<c>bench/peers same</c>).</summary>
public sealed class MadeUpFormTests
{
    /// <summary>GGUF names of those that no fixture has.</summary>
    public static readonly string[] Families = ["deepseek", "granitemoe", "mistral3", "nomic-bert", "nomic-bert-moe", "phi2", "rwkv7"];

    /// <summary>Those of them that go back to safetensors.</summary>
    public static readonly string[] FamiliesBothWays = ["deepseek", "granitemoe", "mistral3", "nomic-bert", "nomic-bert-moe", "phi2", "rwkv7"];

    // What models are made up of says these keys, wrongly or of numbers in another type; nobody goes by them.
    private static readonly string[] Stale = ["layer_types", "torch_dtype"];

    private static readonly int[] Ids = [3, 14, 15, 9, 2, 6, 5, 13, 8, 9, 7, 9, 3, 2];

    [Fact]
    public void Convert_OfKimiLinearWithLatentAttention_GivesTheSameLogits()
    {
        var model = EditableModel.Read(new ArchitectureFixture("kimi-linear"), "safetensors");
        const string latent = "model.layers.2.self_attn";
        model.RemoveAll(latent);
        model.SetRandom($"{latent}.q_proj.weight", 1, 0, 4 * 24, 64).SetRandom($"{latent}.kv_a_proj_with_mqa.weight", 2, 0, 32 + 8, 64)
            .SetRandom($"{latent}.kv_a_layernorm.weight", 3, 1, 32).SetRandom($"{latent}.kv_b_proj.weight", 4, 0, 4 * (16 + 16), 32).SetRandom($"{latent}.o_proj.weight", 5, 0, 64, 64);
        Verify(model, file =>
        {
            Assert.True(file.Metadata.TryGet("kimi-linear.attention.head_count_kv", out var keyHeads));
            Assert.Equal([0, 0, 1, 0], keyHeads.ToIntegers());
            Assert.Equal([1L, 4], file.GetTensor("blk.0.ssm_a").Dimensions);
            Assert.Equal(
                [32L + 8, 32, 24, 16, 8, 2],
                ((string[])["attention.key_length", "attention.value_length", "attention.key_length_mla", "attention.value_length_mla", "rope.dimension_count", "expert_gating_func"])
                    .Select(key => file.Metadata.FindInteger($"kimi-linear.{key}")));
        }, back: true);
    }

    [Fact]
    public void Convert_OfNomicBert_GivesTheSameVectors() => Verify(NomicBertTests.MakeUp(), back: true);

    [Fact]
    public void Convert_OfNomicBertWithExperts_GivesTheSameVectors()
    {
        Verify(NomicBertTests.MakeUp(mixture: true), file =>
        {
            Assert.Equal((2, 4, 2), (file.Metadata.FindInteger("nomic-bert-moe.moe_every_n_layers"), file.Metadata.FindInteger("nomic-bert-moe.expert_count"), file.Metadata.FindInteger("nomic-bert-moe.expert_used_count")));
            Assert.Equal([40L, 24, 4], file.GetTensor("blk.1.ffn_down_exps.weight").Dimensions);
            Assert.DoesNotContain(file.Tensors, tensor => tensor.Name.StartsWith("blk.1.ffn_exps", StringComparison.Ordinal));
        }, back: true);
        // llama.cpp leaves out what is added to the experts' sum.
        Assert.EndsWith("a GGUF file of nomic-bert-moe can't say all that this model is (34 steps become 33, from step 30 on, BiasOp).",
            Assert.Throws<NotSupportedException>(() => Verify(NomicBertTests.MakeUp(mixture: true, bias: true))).Message, StringComparison.Ordinal);
    }

    // No published one has biases, which the config can ask for.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Convert_OfModernBert_GivesTheSameVectors(bool biased)
    {
        var model = new EditableModel();
        foreach (var (key, value) in new (string, JsonNode)[]
        {
            ("model_type", "modernbert"), ("architectures", new JsonArray("ModernBertModel")), ("hidden_size", 24), ("num_attention_heads", 3), ("num_hidden_layers", 3), ("intermediate_size", 40),
            ("max_position_embeddings", 64), ("norm_eps", 1e-5), ("local_attention", 6), ("global_attn_every_n_layers", 2), ("global_rope_theta", 80000.0), ("local_rope_theta", 5000.0),
            ("norm_bias", biased), ("mlp_bias", biased), ("attention_bias", biased), ("vocab_size", 20), ("pad_token_id", 0), ("hidden_activation", "gelu"),
        })
            model.Config[key] = value;
        model.SetRandom("embeddings.tok_embeddings.weight", 1, 0, 20, 24);
        Add("embeddings.norm", 2, 1, 24);
        Add("final_norm", 4, 1, 24);
        for (var layer = 0; layer < 3; layer++)
        {
            var (block, seed) = ($"layers.{layer}", 20 * (layer + 1));
            if (layer > 0)
                Add($"{block}.attn_norm", seed, 1, 24);
            Add($"{block}.attn.Wqkv", seed + 2, 0, 72, 24);
            Add($"{block}.attn.Wo", seed + 4, 0, 24, 24);
            Add($"{block}.mlp_norm", seed + 6, 1, 24);
            Add($"{block}.mlp.Wi", seed + 8, 0, 80, 24);
            Add($"{block}.mlp.Wo", seed + 10, 0, 24, 40);
        }
        Verify(model, back: true);

        void Add(string name, int seed, float center, params long[] shape)
        {
            model.SetRandom($"{name}.weight", seed, center, shape);
            if (biased)
                model.SetRandom($"{name}.bias", seed + 1, 0, shape[0]);
        }
    }

    [Fact]
    public void Convert_OfPhi2_GivesTheSameLogits()
    {
        var random = new Random(1);
        var bias = Enumerable.Range(0, 256).Select(_ => random.NextSingle()).ToArray();
        Verify(Phi2Tests.Rewrite(EditableModel.Read(new ArchitectureFixture("gpt-neox"), "safetensors"), bias, gguf: false), back: true);
    }

    // As some GGUF files have queries, keys and values.
    [Theory]
    [InlineData(4)]
    [InlineData(2)]
    public void Convert_OfPhi2WithOneMatrix_GivesThree(int keyHeads)
    {
        var model = Phi2Tests.Rewrite(EditableModel.Read(new ArchitectureFixture("gpt-neox"), "safetensors"), new float[256], gguf: true);
        model.Metadata["attention.head_count_kv"] = (uint)keyHeads;
        var rows = new[] { ("q_proj", 64), ("k_proj", 16 * keyHeads), ("v_proj", 16 * keyHeads) };
        for (var layer = 0; layer < 2; layer++)
            model.SetRandom($"blk.{layer}.attn_qkv.weight", layer, 0, rows.Sum(part => part.Item2), 64).SetRandom($"blk.{layer}.attn_qkv.bias", layer + 2, 0, rows.Sum(part => part.Item2));
        using var folder = new TemporaryFolder();
        File.Move(model.WriteGguf("phi2"), folder["model.gguf"]);
        ModelConversion.Convert(folder["model.gguf"], folder["out"], ConversionType.Find("f32")!, cancellation: TestContext.Current.CancellationToken);
        Assert.InRange(LogitComparison.Error(Results(folder["model.gguf"]), Results(folder["out"])), 0, 1e-5);
        using var written = SafetensorsModel.Open(folder["out"]);
        foreach (var (name, count) in rows)
        {
            _ = written.GetTensor($"model.layers.1.self_attn.{name}.weight", count, 64);
            _ = written.GetTensor($"model.layers.1.self_attn.{name}.bias", count);
        }
    }

    [Fact]
    public void Convert_OfDeepSeekMoe_GivesTheSameLogits()
    {
        var model = EditableModel.Read(new ArchitectureFixture("llama"), "safetensors");
        Name(model, "deepseek");
        foreach (var (key, value) in new[] { ("n_routed_experts", 4), ("num_experts_per_tok", 2), ("n_shared_experts", 2), ("moe_intermediate_size", 32) })
            model.Config[key] = value;
        model.Config["norm_topk_prob"] = false;
        const string mlp = "model.layers.1.mlp"; // the first layer stays dense
        model.RemoveAll(mlp);
        model.SetRandom($"{mlp}.gate.weight", 1, 0, 4, 64);
        AddGated(model, $"{mlp}.shared_experts", 2, 2 * 32);
        for (var e = 0; e < 4; e++)
            AddGated(model, $"{mlp}.experts.{e}", 10 + (3 * e), 32);
        Verify(model, file => Assert.Equal(1, file.Metadata.FindInteger("deepseek.leading_dense_block_count")), back: true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Convert_OfGraniteMoe_GivesTheSameLogits(bool shared)
    {
        var model = EditableModel.Read(new ArchitectureFixture("granite"), "safetensors");
        Name(model, shared ? "granitemoeshared" : "granitemoe");
        foreach (var (key, value) in new[] { ("num_local_experts", 4), ("num_experts_per_tok", 2), ("intermediate_size", 32), ("shared_intermediate_size", shared ? 48 : 0) })
            model.Config[key] = value;
        for (var layer = 0; layer < 2; layer++)
        {
            var block = $"model.layers.{layer}";
            model.RemoveAll($"{block}.mlp");
            model.SetRandom($"{block}.block_sparse_moe.router.layer.weight", layer, 0, 4, 64).SetRandom($"{block}.block_sparse_moe.input_linear.weight", layer + 2, 0, 4, 2 * 32, 64)
                .SetRandom($"{block}.block_sparse_moe.output_linear.weight", layer + 4, 0, 4, 64, 32);
            if (shared)
                model.SetRandom($"{block}.shared_mlp.input_linear.weight", layer + 6, 0, 2 * 48, 64).SetRandom($"{block}.shared_mlp.output_linear.weight", layer + 8, 0, 64, 48);
        }
        Verify(model, back: true);
    }

    [Fact]
    public void Convert_OfMamba2WithGroups_GivesTheSameLogits()
    {
        var model = EditableModel.Read(new ArchitectureFixture("mamba2"), "safetensors");
        model.Config["n_groups"] = 2;
        for (var layer = 0; layer < 2; layer++)
        {
            var mixer = $"backbone.layers.{layer}.mixer";
            model.SetRandom($"{mixer}.in_proj.weight", layer, 0, 328, 64).SetRandom($"{mixer}.conv1d.weight", layer + 2, 0, 192, 1, 4).SetRandom($"{mixer}.conv1d.bias", layer + 4, 0, 192);
        }
        Verify(model, file => Assert.Equal([64L, 2], file.GetTensor("blk.1.ssm_norm.weight").Dimensions), back: true);
    }

    // Magnitudes are not what Phi-3's rule makes of the lengths.
    [Fact]
    public void Convert_OfPhiMoeWithLongRope_GivesTheSameLogits()
    {
        var model = EditableModel.Read(new ArchitectureFixture("phimoe"), "safetensors");
        model.Config["rope_scaling"] = JsonNode.Parse("""
            {"type": "longrope", "short_factor": [1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7], "long_factor": [1, 2, 3, 4, 5, 6, 7, 8],
             "short_mscale": 1.25, "long_mscale": 1.25, "original_max_position_embeddings": 8}
            """);
        Verify(model, back: true);
        model.Config["rope_scaling"]!["short_mscale"] = 1.5;
        Assert.Contains("can't say all", Assert.Throws<NotSupportedException>(() => Verify(model)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("default")]
    [InlineData("yarn")]
    public void Convert_OfMinistral3_GivesTheSameLogits(string scaling)
    {
        var model = Mistral3Tests.Describe(EditableModel.Read(new ArchitectureFixture("llama"), "safetensors"));
        if (scaling == "yarn")
        {
            foreach (var (key, value) in new (string, JsonNode)[] { ("rope_type", "yarn"), ("factor", 4.0), ("beta_fast", 32.0), ("beta_slow", 1.0), ("mscale", 1.0), ("mscale_all_dim", 1.0) })
                model.Config["rope_parameters"]![key] = value;
        }
        Verify(model, back: true);
    }

    // The 11B has groups of heads as the 40B, and one norm as the 7B.
    [Fact]
    public void Convert_OfFalconWithGroupsAndOneNorm_GivesTheSameLogits()
    {
        var model = EditableModel.Read(new ArchitectureFixture("falcon-40b-style-dev"), "safetensors");
        model.Config["num_ln_in_parallel_attn"] = 1;
        for (var layer = 0; layer < 2; layer++)
        {
            foreach (var ending in (string[])["weight", "bias"])
            {
                var (shape, values) = model.Remove($"transformer.h.{layer}.ln_attn.{ending}");
                model.Set($"transformer.h.{layer}.input_layernorm.{ending}", values, shape);
                model.Remove($"transformer.h.{layer}.ln_mlp.{ending}");
            }
        }
        Verify(model, back: true);
    }

    [Fact]
    public void Convert_OfGraniteHybridWithoutExperts_GivesTheSameLogits()
    {
        var model = EditableModel.Read(new ArchitectureFixture("granite-hybrid"), "safetensors");
        model.Config["num_local_experts"] = 0;
        model.Config["intermediate_size"] = 48; // of experts, which there are none of
        for (var layer = 0; layer < 3; layer++)
            model.RemoveAll($"model.layers.{layer}.block_sparse_moe");
        Verify(model, back: true);
    }

    [Theory]
    [InlineData("tiny-rwkv-7v0-834K-FP32.bin")]
    [InlineData("tiny-rwkv-7v0-834K-Q5_1.bin")]
    public void Convert_OfRwkv7_GivesTheSameLogits(string file)
    {
        var path = Fixtures.Path("models", "tiny_rwkv", file);
        using var folder = new TemporaryFolder();
        ModelConversion.Convert(path, folder["model.gguf"], ConversionType.Find("f32")!, cancellation: TestContext.Current.CancellationToken);
        Assert.InRange(LogitComparison.Error(Results(path), Results(folder["model.gguf"])), 0, 1e-5);
        using var written = GgufFile.Open(folder["model.gguf"]);
        Assert.Equal([64L, 1, 1, 6], written.GetTensor("blk.0.time_mix_lerp_fused.weight").Dimensions);
        Assert.Equal(32, written.Metadata.FindInteger("rwkv7.attention.value_residual_mix_lora_rank"));
    }

    [Fact]
    public void Convert_OfRwkv7InTheFormOfFlashLinearAttention_GivesTheSameFileAndFolder() => Verify(Rwkv7Tests.Rewrite(), written =>
    {
        using var folder = new TemporaryFolder();
        ModelConversion.Convert(Fixtures.Path("models", "tiny_rwkv", "tiny-rwkv-7v0-834K-FP32.bin"), folder["other.gguf"], ConversionType.Find("f32")!, cancellation: TestContext.Current.CancellationToken);
        using var other = GgufFile.Open(folder["other.gguf"]);
        Assert.Equal(other.Tensors.Select(tensor => tensor.Name), written.Tensors.Select(tensor => tensor.Name));
        Assert.All(other.Tensors, tensor => Assert.True(Bytes(tensor.Data).SequenceEqual(Bytes(written.GetTensor(tensor.Name).Data)), tensor.Name));
    }, back: true);

    /// <summary>Two folders have the same tensors, and the same values under the keys that both have.</summary>
    internal static void AssertSame(string expected, string actual)
    {
        using var from = SafetensorsModel.Open(expected);
        using var to = SafetensorsModel.Open(actual);
        Assert.Equal(from.Tensors.Select(tensor => tensor.Name).Order(StringComparer.Ordinal), to.Tensors.Select(tensor => tensor.Name).Order(StringComparer.Ordinal));
        foreach (var tensor in from.Tensors)
        {
            var copy = Bytes(to.GetTensor(tensor.Name, [.. tensor.Shape]).Data);
            // Logarithms, of which GGUF files have the powers.
            if (tensor.Name.EndsWith("A_log", StringComparison.Ordinal))
                Assert.All(MemoryMarshal.Cast<byte, float>(Bytes(tensor.Data)).ToArray().Zip(MemoryMarshal.Cast<byte, float>(copy).ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-6f));
            else
                Assert.True(Bytes(tensor.Data).SequenceEqual(copy), tensor.Name);
        }
        var keys = JsonNode.Parse(File.ReadAllBytes(Path.Combine(actual, "config.json")))!.AsObject();
        Assert.All(JsonNode.Parse(File.ReadAllBytes(Path.Combine(expected, "config.json")))!.AsObject().Where(key => keys.ContainsKey(key.Key) && !Stale.Contains(key.Key)), key => Assert.True(HuggingFaceFormTests.Same(key.Value, keys[key.Key]), $"{key.Key}: {keys[key.Key]}, not {key.Value}"));
    }

    private static ReadOnlySpan<byte> Bytes(MemoryRegion data) => data.Span(0, (int)data.Length);

    [Fact]
    public void Convert_OfADecoderThatEmbeds_GivesTheSameVectors()
    {
        using var folder = new TemporaryFolder();
        var source = EditableModel.Read(new ArchitectureFixture("qwen3"), "safetensors").WriteSafetensors();
        try
        {
            Directory.CreateDirectory(Path.Combine(source, "1_Pooling"));
            File.WriteAllText(Path.Combine(source, "1_Pooling", "config.json"), """{"pooling_mode_lasttoken": true}""");
            ModelConversion.Convert(source, folder["model.gguf"], ConversionType.Find("f32")!, cancellation: TestContext.Current.CancellationToken);
            Assert.InRange(LogitComparison.Error(Vector(source), Vector(folder["model.gguf"])), 0, 1e-5);
            ModelConversion.Convert(folder["model.gguf"], folder["back"], ConversionType.Find("f32")!, cancellation: TestContext.Current.CancellationToken);
            Assert.Equal(Vector(source), Vector(folder["back"]));
        }
        finally
        {
            Directory.Delete(source, recursive: true);
        }
    }

    private static float[] Vector(string path)
    {
        using var model = Model.Load(path, new ModelOptions { Exact = true, Threads = 2 });
        using var embedder = new Embedder(model);
        Assert.Equal(Pooling.Last, embedder.Pooling);
        return embedder.EmbedIds([Ids], TestContext.Current.CancellationToken)[0];
    }

    private static void Name(EditableModel model, string type)
    {
        model.Config["model_type"] = type;
        model.Config.Remove("architectures");
    }

    private static void AddGated(EditableModel model, string name, int seed, int hidden) =>
        model.SetRandom($"{name}.gate_proj.weight", seed, 0, hidden, 64).SetRandom($"{name}.up_proj.weight", seed + 1, 0, hidden, 64).SetRandom($"{name}.down_proj.weight", seed + 2, 0, 64, hidden);

    private static void Verify(EditableModel model, Action<GgufFile>? file = null, bool back = false)
    {
        var expected = model.RunSafetensors(Ids);
        using var folder = new TemporaryFolder();
        var source = model.WriteSafetensors();
        try
        {
            ModelConversion.Convert(source, folder["model.gguf"], ConversionType.Find("f32")!, cancellation: TestContext.Current.CancellationToken);
            Assert.InRange(LogitComparison.Error(expected, Results(folder["model.gguf"])), 0, 1e-5);
            using var written = GgufFile.Open(folder["model.gguf"]);
            file?.Invoke(written);
            if (!back)
                return;
            ModelConversion.Convert(folder["model.gguf"], folder["back"], ConversionType.Find("f32")!, cancellation: TestContext.Current.CancellationToken);
            Assert.InRange(LogitComparison.Error(expected, Results(folder["back"])), 0, 1e-5);
            AssertSame(source, folder["back"]);
        }
        finally
        {
            Directory.Delete(source, recursive: true);
        }
    }

    private static float[] Results(string path)
    {
        using var model = Model.Load(path, new ModelOptions { Exact = true, Threads = 2 });
        Assert.Empty(model.UnusedTensors);
        using var session = model.CreateSession();
        var results = new float[Ids.Length * model.Info.OutputWidth];
        session.Step(Ids, results);
        return results;
    }
}
