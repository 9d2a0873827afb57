using System.Text.Json.Nodes;
using OpenHearth.Engine.Conversion;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Engine.Tests.Architectures;
using OpenHearth.Engine.Tests.Files;

namespace OpenHearth.Engine.Tests.Conversion;

/// <summary>Variants of families that no fixture has, as GGUF files and as folders again: names, numbers, keys of <c>config.json</c> and results are those of the original.</summary>
public sealed class HuggingFaceVariantTests
{
    private static readonly int[] Ids = [3, 14, 15, 9, 2, 6, 5, 13, 8, 9, 7, 9, 3, 2];

    [Fact]
    public void Convert_OfLlama4WithDenseLayersAndScaling_GivesTheOriginal()
    {
        var model = EditableModel.Read(new ArchitectureFixture("llama4-chunked"), "safetensors");
        model.Config["attention_chunk_size"] = 8192; // all that GGUF files can mean
        model.Config["rope_scaling"] = JsonNode.Parse("""{"rope_type": "llama3", "factor": 16, "low_freq_factor": 1, "high_freq_factor": 1, "original_max_position_embeddings": 8192}""");
        Verify(model, "rope_scaling", "moe_layers", "no_rope_layers", "interleave_moe_layer_step", "floor_scale", "attention_chunk_size", "use_qk_norm");
    }

    [Fact]
    public void Convert_OfGemma4WithExpertsAndKeysForValues_GivesTheOriginal()
    {
        var model = EditableModel.Read(new ArchitectureFixture("gemma4"), "safetensors");
        model.RemoveAll("model.per_layer");
        model.RemoveAll("model.embed_tokens_per_layer");
        for (var layer = 0; layer < 6; layer++)
        {
            var block = $"model.layers.{layer}";
            model.RemoveAll($"{block}.per_layer");
            model.RemoveAll($"{block}.post_per_layer");
            model.SetRandom($"{block}.router.proj.weight", layer, 0, 4, 64).SetRandom($"{block}.router.scale", layer + 10, 1, 64).SetRandom($"{block}.router.per_expert_scale", layer + 20, 1, 4)
                .SetRandom($"{block}.experts.gate_up_proj", layer + 30, 0, 4, 2 * 32, 64).SetRandom($"{block}.experts.down_proj", layer + 40, 0, 4, 64, 32);
            foreach (var norm in (string[])["post_feedforward_layernorm_1", "pre_feedforward_layernorm_2", "post_feedforward_layernorm_2"])
                model.SetRandom($"{block}.{norm}.weight", layer + norm.Length, 1, 64);
        }
        model.Remove("model.layers.5.self_attn.v_proj.weight");
        model.SetRandom("model.layers.5.self_attn.k_proj.weight", 50, 0, 32, 64);
        Set(model, """
            {
              "hidden_size_per_layer_input": 0, "enable_moe_block": true, "num_experts": 4, "top_k_experts": 2, "moe_intermediate_size": 32, "attention_k_eq_v": true,
              "head_dim": 16, "global_head_dim": 32, "num_key_value_heads": 2, "num_global_key_value_heads": 1, "final_logit_softcapping": 30
            }
            """);
    }

    [Fact]
    public void Convert_OfGemma4WithSharedKeysAndWideLayers_GivesTheOriginal()
    {
        var model = EditableModel.Read(new ArchitectureFixture("gemma4"), "safetensors");
        // Both are said in the section below.
        model.Config.Remove("rope_theta");
        model.Config.Remove("rope_local_base_freq");
        foreach (var (name, width) in new[] { ("q_proj", 4 * 32), ("k_proj", 2 * 32), ("v_proj", 2 * 32) })
            model.SetRandom($"model.layers.2.self_attn.{name}.weight", width, 0, width, 64);
        model.SetRandom("model.layers.2.self_attn.o_proj.weight", 1, 0, 64, 4 * 32).SetRandom("model.layers.2.self_attn.q_norm.weight", 2, 1, 32).SetRandom("model.layers.2.self_attn.k_norm.weight", 3, 1, 32);
        foreach (var block in (string[])["model.layers.4", "model.layers.5"])
        {
            foreach (var shared in (string[])["k_proj", "v_proj", "k_norm"])
                model.Remove($"{block}.self_attn.{shared}.weight");
            model.SetRandom($"{block}.mlp.gate_proj.weight", 4, 0, 192, 64).SetRandom($"{block}.mlp.up_proj.weight", 5, 0, 192, 64).SetRandom($"{block}.mlp.down_proj.weight", 6, 0, 64, 192);
        }
        Set(model, """
            {
              "layer_types": ["sliding_attention", "sliding_attention", "full_attention", "sliding_attention", "sliding_attention", "full_attention"], "num_kv_shared_layers": 2,
              "use_double_wide_mlp": true, "intermediate_size": 96, "hidden_size_per_layer_input": 8, "vocab_size_per_layer_input": 256, "enable_moe_block": false, "attention_k_eq_v": false,
              "rope_parameters": {
                "sliding_attention": {"rope_type": "default", "rope_theta": 5000},
                "full_attention": {"rope_type": "proportional", "rope_theta": 2000000, "partial_rotary_factor": 0.5}
              }
            }
            """);
    }

    [Fact]
    public void Convert_OfDeepSeeksOlderForm_GivesTheSameFolder()
    {
        using var folder = new TemporaryFolder();
        var newer = new ArchitectureFixture("deepseek3-yarn").Form("gguf");
        DeepSeekTests.WriteOlderForm(newer, folder["older.gguf"]);
        Convert(newer, folder["new"], "bf16");
        Convert(folder["older.gguf"], folder["old"], "bf16");
        MadeUpFormTests.AssertSame(folder["new"], folder["old"]);
        Assert.Equal(Config(folder["new"]), Config(folder["old"]));

        static IEnumerable<(string, string?)> Config(string path) =>
            JsonNode.Parse(File.ReadAllBytes(Path.Combine(path, "config.json")))!.AsObject().Select(entry => (entry.Key, entry.Value?.ToJsonString())).Order();
    }

    [Theory]
    [InlineData("deepseek3")]
    [InlineData("gpt-oss-truncate")]
    [InlineData("llama4")]
    public void Convert_OfQuantizedPartsOfATensor_DecodesThem(string name)
    {
        using var folder = new TemporaryFolder();
        Convert(new ArchitectureFixture(name).Form("gguf"), folder["model.gguf"], "q8_0");
        Convert(folder["model.gguf"], folder["out"]);
        Assert.InRange(LogitComparison.Error(Logits(folder["model.gguf"]), Logits(folder["out"])), 0, 1e-5);
    }

    [Fact]
    public void Convert_OfExpertsBelowEachOther_Refuses()
    {
        using var folder = new TemporaryFolder();
        var model = EditableModel.Read(new ArchitectureFixture("llama4"), "gguf");
        foreach (var name in (string[])["blk.1.ffn_gate_exps.weight", "blk.1.ffn_up_exps.weight"])
        {
            var (shape, values) = model.Remove(name);
            model.Set(name, values, shape[0] * shape[1], shape[2]);
        }
        var path = model.WriteGguf("llama4");
        try
        {
            var refusal = Assert.Throws<ModelFormatException>(() => Convert(path, folder["out"]));
            Assert.Contains("'blk.1.ffn_gate_exps.weight' has shape [256, 64], expected 3 dimensions", refusal.Message, StringComparison.Ordinal);
            Assert.False(Directory.Exists(folder["out"]));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Convert_OfGptOssWithoutScaling_SaysSo()
    {
        using var folder = new TemporaryFolder();
        using (var file = GgufFile.Open(new ArchitectureFixture("gpt-oss-truncate").Form("gguf")))
        {
            var writer = new GgufWriter();
            foreach (var key in file.Metadata.Keys.Where(key => !key.Contains("rope.scaling", StringComparison.Ordinal)))
                writer.Add(key, file.Metadata.TryGet(key, out var value) ? value : throw file.Metadata.Missing(key));
            foreach (var tensor in file.Tensors)
                writer.AddTensor(tensor.Name, tensor.Type, [.. tensor.Dimensions], tensor.Data);
            writer.Write(folder["model.gguf"], TestContext.Current.CancellationToken);
        }
        Convert(folder["model.gguf"], folder["out"]);
        Assert.InRange(LogitComparison.Error(Logits(folder["model.gguf"]), Logits(folder["out"])), 0, 1e-5);
        Assert.Equal("""{"rope_type":"default"}""", JsonNode.Parse(File.ReadAllBytes(Path.Combine(folder["out"], "config.json")))!["rope_scaling"]!.ToJsonString());
    }

    private static void Set(EditableModel model, string config)
    {
        var values = JsonNode.Parse(config)!.AsObject();
        foreach (var (key, value) in values)
            model.Config[key] = value?.DeepClone();
        Verify(model, [.. values.Select(entry => entry.Key)]);
    }

    private static void Verify(EditableModel model, params string[] keys)
    {
        using var folder = new TemporaryFolder();
        var source = model.WriteSafetensors();
        try
        {
            Convert(source, folder["model.gguf"]);
            Convert(folder["model.gguf"], folder["out"]);
            MadeUpFormTests.AssertSame(source, folder["out"]);
            Assert.InRange(LogitComparison.Error(Logits(source), Logits(folder["out"])), 0, 1e-5);
        }
        finally
        {
            Directory.Delete(source, recursive: true);
        }
        var written = JsonNode.Parse(File.ReadAllBytes(Path.Combine(folder["out"], "config.json")))!;
        Assert.Equal([], keys.Where(key => !JsonNode.DeepEquals(model.Config[key], written[key])).Select(key => $"{key}: {written[key]?.ToJsonString()}"));
    }

    private static float[] Logits(string path)
    {
        using var model = Model.Load(path, new ModelOptions { Exact = true, Threads = 2 });
        Assert.Empty(model.UnusedTensors);
        using var session = model.CreateSession();
        var logits = new float[Ids.Length * model.Info.OutputWidth];
        session.Step(Ids, logits);
        return logits;
    }

    private static void Convert(string model, string output, string type = "f32") =>
        ModelConversion.Convert(model, output, ConversionType.Find(type)!, cancellation: TestContext.Current.CancellationToken);
}
