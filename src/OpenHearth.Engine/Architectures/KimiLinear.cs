using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Elementwise;
using OpenHearth.Kernels.Recurrence;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// Kimi Linear: layers of Kimi Delta Attention, whose memory forgets each value of a key at its own pace, a few of latent attention
/// without positions between them, and DeepSeek V3's experts. Source: Kimi Linear, 2025.
/// </summary>
internal sealed class KimiLinear : Architecture
{
    public override TensorNames Names(HyperParameters p)
    {
        var names = LatentShape.AddNames(TensorNames.Llama(), p)
            .Add("blk.*.ssm_f_a", "layers.*.self_attn.f_a_proj")
            .Add("blk.*.ssm_f_b", "layers.*.self_attn.f_b_proj")
            .Add("blk.*.ssm_g_a", "layers.*.self_attn.g_a_proj")
            .Add("blk.*.ssm_g_b", "layers.*.self_attn.g_b_proj")
            .Add("blk.*.ssm_beta", "layers.*.self_attn.b_proj")
            .Add("blk.*.ssm_dt.bias", "layers.*.self_attn.dt_bias")
            .Add("blk.*.ssm_a", "layers.*.self_attn.A_log", logarithms => logarithms.ToDecay().Column(), decays => decays.ToLogarithm() with { Shape = [1, 1, decays.RowCount * decays.Columns, 1] })
            .Add("blk.*.ssm_norm", "layers.*.self_attn.o_norm")
            .Add("blk.*.ffn_gate_inp", "layers.*.block_sparse_moe.gate")
            .Add("blk.*.exp_probs_b.bias", "layers.*.block_sparse_moe.gate.e_score_correction_bias");
        foreach (var input in (string[])["q", "k", "v"])
            names.Add($"blk.*.ssm_conv1d_{input}", $"layers.*.self_attn.{input}_conv1d", null, tensor => tensor.Flatten().Unflatten());
        foreach (var (part, number) in ((string, int)[])[("gate", 1), ("down", 2), ("up", 3)])
        {
            names.Replace($"blk.*.ffn_{part}", $"layers.*.block_sparse_moe.{part}_proj").Add($"blk.*.ffn_{part}", $"layers.*.mlp.{part}_proj");
            names.Add($"blk.*.ffn_{part}_exps", $"layers.*.block_sparse_moe.experts.#.w{number}");
            names.Add($"blk.*.ffn_{part}_shexp", $"layers.*.block_sparse_moe.shared_experts.{part}_proj");
        }
        return names;
    }

    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        var layers = p.Layers();
        var width = p.Int("embedding_length", "hidden_size");
        var epsilon = p.Float("attention.layer_norm_rms_epsilon", "rms_norm_eps");
        var headWidth = p.Int("kda.head_dim", "linear_head_dim|linear_attn_config.head_dim");
        var heads = p.Int("attention.head_count", "linear_num_heads|linear_attn_config.num_heads");
        var latent = LatentShape.Read(p);
        Describe(g, p, layers);
        p.Note("leading_dense_block_count", DeepSeek.DenseLayers(g, layers));
        _ = p.FindInt("expert_shared_count", "num_shared_experts"); // here its tensors tell
        var shape = new LinearAttentionShape { Heads = heads, KeyHeads = heads, KeyWidth = headWidth, ValueWidth = headWidth, Delta = true };
        var taps = p.Int("ssm.conv_kernel", "linear_conv_kernel_dim|linear_attn_config.short_conv_kernel_size");

        var x = g.Embedding("token_embd", width);
        for (var layer = 0; layer < layers; layer++)
        {
            var block = $"blk.{layer}";
            var h = g.RmsNorm(x, $"{block}.attn_norm", epsilon);
            h = IsDelta(g, layer)
                ? DeltaAttention(g, h, block, shape, taps, epsilon)
                : g.LatentAttention(h, block, latent, null, RotaryPairing.Halves);
            x = g.Sum(x, g.Linear(h, $"{block}.attn_output", width));
            h = g.RmsNorm(x, $"{block}.ffn_norm", epsilon);
            x = g.Sum(x, g.Weights.Has($"{block}.ffn_gate_inp.weight")
                ? Experts(g, p, h, block)
                : g.GatedFeedForward(h, block, p.Int("feed_forward_length", "intermediate_size")));
        }
        // GGUF files tell Delta Attention by its having no key heads. Said last, since the latent layers' tensors say one for all.
        p.Note("attention.head_count_kv", Enumerable.Range(0, layers).Select(layer => IsDelta(g, layer) ? 0 : 1).ToArray());
        return g.Build(g.Head(g.RmsNorm(g.OutputRows(x), "output_norm", epsilon)));
    }

    // What the model's class wants to be said though the tensors tell, or under other keys.
    private static void Describe(GraphBuilder g, HyperParameters p, int layers)
    {
        _ = p.FindInt("context_length", "model_max_length");
        p.Note("", "mla_use_nope", true);
        p.Note("", "layer_types", Enumerable.Range(0, layers).Select(layer => IsDelta(g, layer) ? "linear_attention" : "full_attention").ToArray());
        p.Note("", "mlp_layer_types", Enumerable.Range(0, layers).Select(layer => g.Weights.Has($"blk.{layer}.ffn_gate_inp.weight") ? "sparse" : "dense").ToArray());
    }

    private static bool IsDelta(GraphBuilder g, int layer) => g.Weights.Has($"blk.{layer}.ssm_a");

    private static Node DeltaAttention(GraphBuilder g, Node h, string block, LinearAttentionShape shape, int taps, float epsilon)
    {
        var inner = shape.Heads * shape.KeyWidth;
        Node Convolved(string input) =>
            g.Activate(g.ShortConvolution(g.Linear(h, $"{block}.attn_{input}", inner), $"{block}.ssm_conv1d_{input}", taps), ActivationKind.Silu);
        Node Narrow(string name) => g.Linear(g.Linear(h, $"{block}.{name}_a", g.Weights.Rows($"{block}.{name}_a.weight")), $"{block}.{name}_b", inner);
        var q = g.L2Norm(Convolved("q"), 1e-6f, shape.KeyWidth, 1 / MathF.Sqrt(shape.KeyWidth));
        var k = g.L2Norm(Convolved("k"), 1e-6f, shape.KeyWidth);
        var decay = g.Decay(Narrow("ssm_f"), $"{block}.ssm_dt.bias", $"{block}.ssm_a", shape.Heads);
        var rate = g.Activate(g.Linear(h, $"{block}.ssm_beta", shape.Heads), ActivationKind.Sigmoid);
        var y = g.RmsNorm(g.LinearAttention(q, k, Convolved("v"), decay, rate, shape), $"{block}.ssm_norm", epsilon, shape.ValueWidth);
        return g.Gate(Narrow("ssm_g"), y, ActivationKind.Sigmoid);
    }

    private static Node Experts(GraphBuilder g, HyperParameters p, Node h, string block)
    {
        var experts = p.Int("expert_count", "num_experts");
        var hidden = p.Int("expert_feed_forward_length", "moe_intermediate_size");
        var biased = g.Weights.Has($"{block}.exp_probs_b.bias");
        var router = new RouterShape
        {
            Used = p.Int("expert_used_count", "num_experts_per_token|num_experts_per_tok"),
            Sigmoid = p.IsGguf ? p.FindInt("expert_gating_func", "") is null or 2 : p.FindText("", "moe_router_activation_func") is null or "sigmoid",
            Renormalise = p.Bool("expert_weights_norm", "moe_renormalize", true),
            Scale = p.Float("expert_weights_scale", "routed_scaling_factor", 1),
            Groups = p.Int("expert_group_count", "num_expert_group", 1, 1),
            UsedGroups = p.Int("expert_group_used_count", "topk_group", 1, 1),
            GroupBest = 2,
            SelectionBias = biased ? g.Weights.Vector($"{block}.exp_probs_b.bias", experts) : [],
        };
        p.Note("expert_gating_func", router.Sigmoid ? 2u : 1u);
        p.Note("", "moe_router_activation_func", router.Sigmoid ? "sigmoid" : "softmax");
        var routed = g.Experts(h, g.Router(g.Linear(h, $"{block}.ffn_gate_inp", experts), router), block, experts, hidden);
        return g.Weights.Has($"{block}.ffn_down_shexp.weight")
            ? g.Sum(routed, g.GatedFeedForward(h, block, g.Weights.Rows($"{block}.ffn_gate_shexp.weight"), ending: "_shexp"))
            : routed;
    }
}
