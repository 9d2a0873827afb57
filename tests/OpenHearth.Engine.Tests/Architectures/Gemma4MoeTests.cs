using System.Text.Json.Nodes;

namespace OpenHearth.Engine.Tests.Architectures;

/// <summary>No fixture has a Gemma 4 with experts: the block against a scalar twin, and the rest by reduction to the dense fixture.</summary>
public sealed class Gemma4MoeTests
{
    private const int Width = 16;
    private const int Hidden = 24;
    private const int ExpertHidden = 12;
    private const int Experts = 6;
    private const int Used = 3;
    private const int Vocabulary = 32;
    private static readonly int[] Ids = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8];

    [Fact]
    public void Logits_WhereExpertsGiveNothing_AreThoseOfTheDenseModel()
    {
        var fixture = new ArchitectureFixture("gemma4");
        var model = EditableModel.Read(fixture, "safetensors");
        // Large enough that what a norm adds to the mean square doesn't show when there are two.
        for (var layer = 0; layer < 6; layer++)
        {
            foreach (ref var weight in model[$"model.layers.{layer}.mlp.down_proj.weight"].AsSpan())
                weight *= 1000;
        }
        var expected = model.RunSafetensors(fixture.Ids);
        foreach (var (key, value) in new (string, JsonNode)[] { ("enable_moe_block", true), ("num_experts", 4), ("top_k_experts", 2), ("moe_intermediate_size", 8) })
            model.Config[key] = value;
        for (var layer = 0; layer < 6; layer++)
            AddExperts(model, $"model.layers.{layer}", 64, 4, 8, postDense: 1, postExperts: 0);
        Assert.InRange(LogitComparison.Error(expected, model.RunSafetensors(fixture.Ids)), 0, 1e-5);
    }

    // Attention gives nothing, so that a row is what the twin computes of its token.
    [Theory]
    [InlineData(false, true)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public void Logits_OfOneLayer_AreThoseOfTheScalarTwin(bool gguf, bool fuse)
    {
        var model = OneLayer();
        var expected = Ids.SelectMany(id => Twin(model, id)).ToArray();
        var actual = gguf ? ToGguf(model).RunGguf("gemma4", Ids, fuse) : model.RunSafetensors(Ids, fuse);
        Assert.InRange(LogitComparison.Error(expected, actual), 0, 1e-5);
    }

    private static EditableModel OneLayer()
    {
        const string Block = "model.layers.0";
        var model = new EditableModel();
        foreach (var (key, value) in new (string, JsonNode)[]
        {
            ("model_type", "gemma4_text"), ("hidden_size", Width), ("intermediate_size", Hidden), ("num_hidden_layers", 1), ("num_attention_heads", 2), ("head_dim", 8),
            ("layer_types", new JsonArray("sliding_attention")), ("sliding_window", 4), ("rms_norm_eps", 1e-6), ("max_position_embeddings", 64),
            ("enable_moe_block", true), ("num_experts", Experts), ("top_k_experts", Used), ("moe_intermediate_size", ExpertHidden),
        })
            model.Config[key] = value;
        model.SetRandom("model.embed_tokens.weight", 1, 0, Vocabulary, Width).SetRandom("model.norm.weight", 2, 1, Width)
            .SetRandom($"{Block}.input_layernorm.weight", 3, 1, Width).SetRandom($"{Block}.post_attention_layernorm.weight", 4, 1, Width)
            .SetRandom($"{Block}.pre_feedforward_layernorm.weight", 5, 1, Width).SetRandom($"{Block}.post_feedforward_layernorm.weight", 6, 1, Width)
            .SetRandom($"{Block}.self_attn.q_proj.weight", 7, 0, 16, Width).SetRandom($"{Block}.self_attn.k_proj.weight", 8, 0, 8, Width)
            .SetRandom($"{Block}.self_attn.v_proj.weight", 9, 0, 8, Width).Set($"{Block}.self_attn.o_proj.weight", new float[Width * 16], Width, 16)
            .SetRandom($"{Block}.self_attn.q_norm.weight", 10, 1, 8).SetRandom($"{Block}.self_attn.k_norm.weight", 11, 1, 8)
            .SetRandom($"{Block}.mlp.gate_proj.weight", 12, 0, Hidden, Width).SetRandom($"{Block}.mlp.up_proj.weight", 13, 0, Hidden, Width)
            .SetRandom($"{Block}.mlp.down_proj.weight", 14, 0, Width, Hidden);
        AddExperts(model, Block, Width, Experts, ExpertHidden, null, null);
        return model;
    }

    private static void AddExperts(EditableModel model, string block, int width, int experts, int hidden, float? postDense, float? postExperts)
    {
        model.SetRandom($"{block}.router.proj.weight", 20, 0, experts, width).SetRandom($"{block}.router.scale", 21, 4, width)
            .SetRandom($"{block}.router.per_expert_scale", 22, 1, experts)
            .SetRandom($"{block}.experts.gate_up_proj", 23, 0, experts, 2 * hidden, width).SetRandom($"{block}.experts.down_proj", 24, 0, experts, width, hidden)
            .SetRandom($"{block}.pre_feedforward_layernorm_2.weight", 25, 1, width);
        foreach (var (name, seed, given) in new[] { ("post_feedforward_layernorm_1", 26, postDense), ("post_feedforward_layernorm_2", 27, postExperts) })
        {
            model.SetRandom($"{block}.{name}.weight", seed, 1, width);
            if (given is { } value)
                model[$"{block}.{name}.weight"].AsSpan().Fill(value);
        }
    }

    private static EditableModel ToGguf(EditableModel model)
    {
        var gguf = new EditableModel();
        foreach (var (key, value) in new[]
        {
            ("block_count", 1), ("context_length", 64), ("embedding_length", Width), ("feed_forward_length", Hidden), ("attention.head_count", 2), ("attention.head_count_kv", 1),
            ("attention.key_length", 8), ("attention.sliding_window", 4), ("expert_count", Experts), ("expert_used_count", Used), ("expert_feed_forward_length", ExpertHidden),
        })
            gguf.Metadata[key] = (uint)value;
        gguf.Metadata["attention.layer_norm_rms_epsilon"] = 1e-6f;
        gguf.Metadata["attention.sliding_window_pattern"] = new[] { true };
        foreach (var (from, to) in new[]
        {
            ("model.embed_tokens.weight", "token_embd.weight"), ("model.norm.weight", "output_norm.weight"), ("input_layernorm.weight", "attn_norm.weight"),
            ("post_attention_layernorm.weight", "post_attention_norm.weight"), ("pre_feedforward_layernorm.weight", "ffn_norm.weight"),
            ("post_feedforward_layernorm.weight", "post_ffw_norm.weight"), ("self_attn.q_proj.weight", "attn_q.weight"), ("self_attn.k_proj.weight", "attn_k.weight"),
            ("self_attn.v_proj.weight", "attn_v.weight"), ("self_attn.o_proj.weight", "attn_output.weight"), ("self_attn.q_norm.weight", "attn_q_norm.weight"),
            ("self_attn.k_norm.weight", "attn_k_norm.weight"), ("mlp.gate_proj.weight", "ffn_gate.weight"), ("mlp.up_proj.weight", "ffn_up.weight"),
            ("mlp.down_proj.weight", "ffn_down.weight"), ("router.proj.weight", "ffn_gate_inp.weight"), ("router.scale", "ffn_gate_inp.scale"),
            ("router.per_expert_scale", "ffn_down_exps.scale"), ("experts.gate_up_proj", "ffn_gate_up_exps.weight"), ("experts.down_proj", "ffn_down_exps.weight"),
            ("pre_feedforward_layernorm_2.weight", "pre_ffw_norm_2.weight"), ("post_feedforward_layernorm_1.weight", "post_ffw_norm_1.weight"),
            ("post_feedforward_layernorm_2.weight", "post_ffw_norm_2.weight"),
        })
        {
            var (shape, values) = model.Remove(from.StartsWith("model.", StringComparison.Ordinal) ? from : $"model.layers.0.{from}");
            gguf.Set(from.StartsWith("model.", StringComparison.Ordinal) ? to : $"blk.0.{to}", values, shape);
        }
        return gguf;
    }

    // The formulas of Google's reference model, one token, in double precision.
    private static IEnumerable<float> Twin(EditableModel model, int id)
    {
        double[] Weight(string name) => Array.ConvertAll(model[name.StartsWith("model.", StringComparison.Ordinal) ? name : $"model.layers.0.{name}"], value => (double)value);
        var x = Weight("model.embed_tokens.weight").Skip(id * Width).Take(Width).Select(value => value * Math.Sqrt(Width)).ToArray();

        var dense = Gated(Norm(x, Weight("pre_feedforward_layernorm.weight")), Weight("mlp.gate_proj.weight"), Weight("mlp.up_proj.weight"), Weight("mlp.down_proj.weight"));
        var scores = Times(Weight("router.proj.weight"), [.. Norm(x, Weight("router.scale")).Select(value => value / Math.Sqrt(Width))]);
        var shares = scores.Select(score => Math.Exp(score) / scores.Sum(other => Math.Exp(other))).ToArray();
        var chosen = Enumerable.Range(0, Experts).OrderByDescending(e => shares[e]).Take(Used).ToArray();
        var input = Norm(x, Weight("pre_feedforward_layernorm_2.weight"));
        var mixed = new double[Width];
        foreach (var e in chosen)
        {
            var gateUp = Weight("experts.gate_up_proj").Skip(e * 2 * ExpertHidden * Width).Take(2 * ExpertHidden * Width).ToArray();
            var result = Gated(input, gateUp[..(ExpertHidden * Width)], gateUp[(ExpertHidden * Width)..], [.. Weight("experts.down_proj").Skip(e * Width * ExpertHidden).Take(Width * ExpertHidden)]);
            var share = shares[e] / chosen.Sum(other => shares[other]) * Weight("router.per_expert_scale")[e];
            for (var i = 0; i < Width; i++)
                mixed[i] += share * result[i];
        }
        var sum = Norm(dense, Weight("post_feedforward_layernorm_1.weight")).Zip(Norm(mixed, Weight("post_feedforward_layernorm_2.weight")), (a, b) => a + b).ToArray();
        x = [.. x.Zip(Norm(sum, Weight("post_feedforward_layernorm.weight")), (a, b) => a + b)];
        return Times(Weight("model.embed_tokens.weight"), Norm(x, Weight("model.norm.weight"))).Select(value => (float)value);
    }

    private static double[] Norm(double[] x, double[] weight) =>
        [.. x.Select((value, i) => value / Math.Sqrt((x.Sum(other => other * other) / x.Length) + 1e-6) * weight[i])];

    private static double[] Times(double[] matrix, double[] x) =>
        [.. Enumerable.Range(0, matrix.Length / x.Length).Select(r => x.Select((value, i) => value * matrix[(r * x.Length) + i]).Sum())];

    private static double[] Gated(double[] x, double[] gate, double[] up, double[] down)
    {
        static double Gelu(double value) => 0.5 * value * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (value + (0.044715 * value * value * value))));
        return Times(down, [.. Times(gate, x).Zip(Times(up, x), (a, b) => Gelu(a) * b)]);
    }
}
