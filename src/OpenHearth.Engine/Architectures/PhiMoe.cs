using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// Phi-3.5 MoE: layer norms and biases, and two experts a token that are weighed against those that came close to them (SparseMixer).
/// Source: Phi-3 Technical Report, 2024; Liu et al., GRIN: GRadient-INformed MoE, 2024.
/// </summary>
internal sealed class PhiMoe : Architecture
{
    public override TensorNames Names(HyperParameters p) => TensorNames.Llama()
        .Add("blk.*.ffn_gate_inp", "layers.*.block_sparse_moe.gate")
        .Add("blk.*.ffn_gate_exps", "layers.*.block_sparse_moe.experts.#.w1")
        .Add("blk.*.ffn_up_exps", "layers.*.block_sparse_moe.experts.#.w3")
        .Add("blk.*.ffn_down_exps", "layers.*.block_sparse_moe.experts.#.w2");

    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        var d = new DecoderParameters(p);
        var shape = d.Attention with { Window = d.Window };
        var experts = p.Int("expert_count", "num_local_experts");
        var tolerance = 2 * p.Float("", "router_jitter_noise", 0.01f);
        if (p.Int("expert_used_count", "num_experts_per_tok") is not 2 and var used)
            throw p.Wrong("expert_used_count", "num_experts_per_tok", used);
        var angles = RopeScaling.Angles(g, p, d.RotaryWidth);
        if (angles is RopeAnglesOp { Long: { } beyond } scaled)
        {
            // The class wants all of it in the section.
            p.Note("", "rope_scaling.short_mscale", scaled.Frequencies.Magnitude);
            p.Note("", "rope_scaling.long_mscale", beyond.Magnitude);
            p.Note("", "rope_scaling.original_max_position_embeddings", (uint)scaled.OriginalLength);
        }

        var x = g.Embedding("token_embd", d.Width);
        for (var layer = 0; layer < d.Layers; layer++)
        {
            var block = $"blk.{layer}";
            var h = g.LayerNorm(x, $"{block}.attn_norm", d.Epsilon);
            var q = g.Rope(g.Linear(h, $"{block}.attn_q", d.Heads * d.HeadWidth), angles, d.HeadWidth, RotaryPairing.Halves);
            var k = g.Rope(g.Linear(h, $"{block}.attn_k", d.KeyHeads * d.HeadWidth), angles, d.HeadWidth, RotaryPairing.Halves);
            var v = g.Linear(h, $"{block}.attn_v", d.KeyHeads * d.HeadWidth);
            x = g.Sum(x, g.Linear(g.Attention(q, k, v, shape), $"{block}.attn_output", d.Width));
            h = g.LayerNorm(x, $"{block}.ffn_norm", d.Epsilon);
            x = g.Sum(x, g.Experts(h, g.SparseMixer(g.Linear(h, $"{block}.ffn_gate_inp", experts), tolerance), block, experts, d.Hidden));
        }
        return g.Build(g.Head(g.LayerNorm(g.OutputRows(x), "output_norm", d.Epsilon)));
    }
}
