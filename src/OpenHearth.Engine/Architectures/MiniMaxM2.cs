using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// MiniMax M2: experts chosen by sigmoid scores plus a bias, norms over all queries and all keys together, part of each head turns.
/// Source: MiniMax-M2's model card and configuration, 2025.
/// </summary>
internal sealed class MiniMaxM2 : Architecture
{
    public override TensorNames Names(HyperParameters p) => TensorNames.Llama()
        .Add("blk.*.ffn_gate_inp", "layers.*.block_sparse_moe.gate")
        .Add("blk.*.exp_probs_b.bias", "layers.*.block_sparse_moe.e_score_correction_bias")
        .Add("blk.*.ffn_gate_exps", "layers.*.block_sparse_moe.experts.#.w1")
        .Add("blk.*.ffn_up_exps", "layers.*.block_sparse_moe.experts.#.w3")
        .Add("blk.*.ffn_down_exps", "layers.*.block_sparse_moe.experts.#.w2");

    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        var d = new DecoderParameters(p);
        var experts = p.Int("expert_count", "num_local_experts");
        var hidden = p.Int("expert_feed_forward_length", "intermediate_size");
        p.Note("expert_gating_func", 2u);
        var router = new RouterShape { Used = p.Int("expert_used_count", "num_experts_per_tok"), Sigmoid = true, Renormalise = true };
        var angles = RopeScaling.Angles(g, p, d.RotaryWidth);

        var x = g.Embedding("token_embd", d.Width);
        for (var layer = 0; layer < d.Layers; layer++)
        {
            var block = $"blk.{layer}";
            var h = g.RmsNorm(x, $"{block}.attn_norm", d.Epsilon);
            var q = g.RmsNorm(g.Linear(h, $"{block}.attn_q", d.Heads * d.HeadWidth), $"{block}.attn_q_norm", d.Epsilon);
            var k = g.RmsNorm(g.Linear(h, $"{block}.attn_k", d.KeyHeads * d.HeadWidth), $"{block}.attn_k_norm", d.Epsilon);
            q = g.Rope(q, angles, d.HeadWidth, RotaryPairing.Halves);
            k = g.Rope(k, angles, d.HeadWidth, RotaryPairing.Halves);
            var v = g.Linear(h, $"{block}.attn_v", d.KeyHeads * d.HeadWidth);
            x = g.Sum(x, g.Linear(g.Attention(q, k, v, d.Attention), $"{block}.attn_output", d.Width));
            h = g.RmsNorm(x, $"{block}.ffn_norm", d.Epsilon);
            var rule = router with { SelectionBias = g.Weights.Vector($"{block}.exp_probs_b.bias", experts) };
            x = g.Sum(x, g.Experts(h, g.Router(g.Linear(h, $"{block}.ffn_gate_inp", experts), rule), block, experts, hidden));
        }
        return g.Build(g.Head(g.RmsNorm(g.OutputRows(x), "output_norm", d.Epsilon)));
    }
}
