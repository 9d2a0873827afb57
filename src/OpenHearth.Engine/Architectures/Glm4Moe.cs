using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// GLM 4.5 and later: a dense layer or few, then experts chosen by sigmoid scores plus a bias, beside one that all tokens share; half of
/// each head turns; some sizes have norms on queries and keys. Source: GLM-4.5: Agentic, Reasoning, and Coding (ARC) Foundation Models, 2025.
/// </summary>
internal sealed class Glm4Moe : Architecture
{
    public override TensorNames Names(HyperParameters p) => TensorNames.Llama().Add("blk.*.post_attention_norm", "layers.*.post_attention_layernorm");

    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        var d = new DecoderParameters(p);
        // GGUF files count the layers behind the last one that predict further tokens.
        var layers = p.LayersOfNextToken();
        var experts = p.Int("expert_count", "n_routed_experts");
        p.Note("", "use_qk_norm", g.Weights.Has("blk.0.attn_q_norm.weight"));
        p.Note("leading_dense_block_count", "first_k_dense_replace", DeepSeek.DenseLayers(g, layers));
        p.Note("expert_gating_func", 2u);
        var hidden = p.Int("expert_feed_forward_length", "moe_intermediate_size");
        var shared = checked(hidden * p.Int("expert_shared_count", "n_shared_experts", 1, 0));
        var router = new RouterShape
        {
            Used = p.Int("expert_used_count", "num_experts_per_tok"),
            Sigmoid = true,
            Renormalise = p.Bool("expert_weights_norm", "norm_topk_prob", true),
            Scale = p.Float("expert_weights_scale", "routed_scaling_factor", 1),
            Groups = p.Int("expert_group_count", "n_group", 1, 1),
            UsedGroups = p.Int("expert_group_used_count", "topk_group", 1, 1),
            GroupBest = 2,
        };
        var angles = RopeScaling.Angles(g, p, d.RotaryWidth);

        var x = g.Embedding("token_embd", d.Width);
        for (var layer = 0; layer < layers; layer++)
        {
            var block = $"blk.{layer}";
            var h = g.RmsNorm(x, $"{block}.attn_norm", d.Epsilon);
            var q = g.Linear(h, $"{block}.attn_q", d.Heads * d.HeadWidth);
            var k = g.Linear(h, $"{block}.attn_k", d.KeyHeads * d.HeadWidth);
            var v = g.Linear(h, $"{block}.attn_v", d.KeyHeads * d.HeadWidth);
            if (g.Weights.Has($"{block}.attn_q_norm.weight"))
            {
                q = g.RmsNorm(q, $"{block}.attn_q_norm", d.Epsilon, d.HeadWidth);
                k = g.RmsNorm(k, $"{block}.attn_k_norm", d.Epsilon, d.HeadWidth);
            }
            q = g.Rope(q, angles, d.HeadWidth, RotaryPairing.Halves);
            k = g.Rope(k, angles, d.HeadWidth, RotaryPairing.Halves);
            x = g.Sum(x, g.Linear(g.Attention(q, k, v, d.Attention), $"{block}.attn_output", d.Width));
            h = g.RmsNorm(x, $"{block}.post_attention_norm", d.Epsilon);
            if (!g.Weights.Has($"{block}.ffn_gate_inp.weight"))
            {
                x = g.Sum(x, g.GatedFeedForward(h, block, d.Hidden));
                continue;
            }
            var rule = router with { SelectionBias = g.Weights.Vector($"{block}.exp_probs_b.bias", experts) };
            var routed = g.Experts(h, g.Router(g.Linear(h, $"{block}.ffn_gate_inp", experts), rule), block, experts, hidden);
            x = g.Sum(x, shared == 0 ? routed : g.Sum(routed, g.GatedFeedForward(h, block, shared, ending: "_shexp")));
        }
        return g.Build(g.Head(g.RmsNorm(g.OutputRows(x), "output_norm", d.Epsilon)));
    }
}
