using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// OLMoE: Llama with experts for a feed-forward block, their weights as the softmax gives them, and norms over all queries and all
/// keys together. Source: Muennighoff et al., OLMoE: Open Mixture-of-Experts Language Models, 2024.
/// </summary>
internal sealed class Olmoe : Architecture
{
    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        var d = new DecoderParameters(p);
        var limit = p.Float("attention.clamp_kqv", "clip_qkv", 0);
        var experts = p.Int("expert_count", "num_experts");
        var router = new RouterShape { Used = p.Int("expert_used_count", "num_experts_per_tok"), Renormalise = p.Bool("expert_weights_norm", "norm_topk_prob", false) };
        var angles = RopeScaling.Angles(g, p, d.RotaryWidth);

        var x = g.Embedding("token_embd", d.Width);
        for (var layer = 0; layer < d.Layers; layer++)
        {
            var block = $"blk.{layer}";
            var h = g.RmsNorm(x, $"{block}.attn_norm", d.Epsilon);
            var q = g.RmsNorm(g.Linear(h, $"{block}.attn_q", d.Heads * d.HeadWidth), $"{block}.attn_q_norm", d.Epsilon);
            var k = g.RmsNorm(g.Linear(h, $"{block}.attn_k", d.KeyHeads * d.HeadWidth), $"{block}.attn_k_norm", d.Epsilon);
            q = g.Rope(g.Clamp(q, limit), angles, d.HeadWidth, RotaryPairing.Halves);
            k = g.Rope(g.Clamp(k, limit), angles, d.HeadWidth, RotaryPairing.Halves);
            var v = g.Clamp(g.Linear(h, $"{block}.attn_v", d.KeyHeads * d.HeadWidth), limit);
            x = g.Sum(x, g.Linear(g.Attention(q, k, v, d.Attention), $"{block}.attn_output", d.Width));
            h = g.RmsNorm(x, $"{block}.ffn_norm", d.Epsilon);
            x = g.Sum(x, g.Experts(h, g.Router(g.Linear(h, $"{block}.ffn_gate_inp", experts), router), block, experts, d.Hidden));
        }
        return g.Build(g.Head(g.RmsNorm(g.OutputRows(x), "output_norm", d.Epsilon)));
    }
}
