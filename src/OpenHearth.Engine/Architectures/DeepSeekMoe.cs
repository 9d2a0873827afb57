using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// DeepSeek MoE, the first: Llama with many small experts beside some that all tokens share, after a first layer or more
/// without. Source: Dai et al., DeepSeekMoE, 2024.
/// </summary>
internal sealed class DeepSeekMoe : Architecture
{
    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        var d = new DecoderParameters(p);
        // GGUF files hold query and key rows permuted so that neighbours are rotated.
        var pairing = p.IsGguf ? RotaryPairing.Neighbours : RotaryPairing.Halves;
        var angles = RopeScaling.Angles(g, p, d.RotaryWidth);
        p.Note("leading_dense_block_count", "first_k_dense_replace", DeepSeek.DenseLayers(g, d.Layers));

        var x = g.Embedding("token_embd", d.Width);
        for (var layer = 0; layer < d.Layers; layer++)
        {
            var block = $"blk.{layer}";
            var h = g.RmsNorm(x, $"{block}.attn_norm", d.Epsilon);
            var q = g.Rope(g.Linear(h, $"{block}.attn_q", d.Heads * d.HeadWidth), angles, d.HeadWidth, pairing);
            var k = g.Rope(g.Linear(h, $"{block}.attn_k", d.KeyHeads * d.HeadWidth), angles, d.HeadWidth, pairing);
            var v = g.Linear(h, $"{block}.attn_v", d.KeyHeads * d.HeadWidth);
            x = g.Sum(x, g.Linear(g.Attention(q, k, v, d.Attention), $"{block}.attn_output", d.Width));
            h = g.RmsNorm(x, $"{block}.ffn_norm", d.Epsilon);
            x = g.Sum(x, g.Weights.Has($"{block}.ffn_gate_inp.weight") ? Experts(g, p, h, block) : g.GatedFeedForward(h, block, d.Hidden));
        }
        return g.Build(g.Head(g.RmsNorm(g.OutputRows(x), "output_norm", d.Epsilon)));
    }

    private static Node Experts(GraphBuilder g, HyperParameters p, Node h, string block)
    {
        if (p.FindText("", "scoring_func") is { } scoring and not "softmax")
            throw p.Wrong("", "scoring_func", scoring);
        var count = p.Int("expert_count", "n_routed_experts");
        var hidden = p.Int("expert_feed_forward_length", "moe_intermediate_size");
        var router = new RouterShape
        {
            Used = p.Int("expert_used_count", "num_experts_per_tok"),
            Renormalise = p.Bool("expert_weights_norm", "norm_topk_prob", false),
            Scale = p.Float("expert_weights_scale", "", 1) is var scale and not 0 ? scale : 1,
        };
        var experts = g.Experts(h, g.Router(g.Linear(h, $"{block}.ffn_gate_inp", count), router), block, count, hidden);
        return p.FindInt("expert_shared_count", "n_shared_experts", 0) is { } shared and not 0
            ? g.Sum(experts, g.GatedFeedForward(h, block, checked(shared * hidden), ending: "_shexp"))
            : experts;
    }
}
