using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// Qwen 3: Llama with a norm on every query and key head; the MoE sizes have experts. Source: Qwen3 Technical Report, 2025.
/// </summary>
internal sealed class Qwen3 : Architecture
{
    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        var d = new DecoderParameters(p);
        var windowed = d.Attention with { Window = p.Bool("", "use_sliding_window", false) ? p.Int("", "sliding_window", 0, 0) : 0 };
        var firstWindowed = p.Int("", "max_window_layers", d.Layers, 0);
        var angles = RopeScaling.Angles(g, p, d.RotaryWidth);

        var x = g.Embedding("token_embd", d.Width);
        for (var layer = 0; layer < d.Layers; layer++)
        {
            var block = $"blk.{layer}";
            var h = g.RmsNorm(x, $"{block}.attn_norm", d.Epsilon);
            var q = g.RmsNorm(g.Linear(h, $"{block}.attn_q", d.Heads * d.HeadWidth), $"{block}.attn_q_norm", d.Epsilon, d.HeadWidth);
            var k = g.RmsNorm(g.Linear(h, $"{block}.attn_k", d.KeyHeads * d.HeadWidth), $"{block}.attn_k_norm", d.Epsilon, d.HeadWidth);
            q = g.Rope(q, angles, d.HeadWidth, RotaryPairing.Halves);
            k = g.Rope(k, angles, d.HeadWidth, RotaryPairing.Halves);
            var v = g.Linear(h, $"{block}.attn_v", d.KeyHeads * d.HeadWidth);
            x = g.Sum(x, g.Linear(g.Attention(q, k, v, layer < firstWindowed ? d.Attention : windowed), $"{block}.attn_output", d.Width));
            h = g.RmsNorm(x, $"{block}.ffn_norm", d.Epsilon);
            x = g.Sum(x, g.Weights.Has($"{block}.ffn_gate_inp.weight") ? Experts(g, p, h, block) : g.GatedFeedForward(h, block, d.Hidden));
        }
        return g.Build(g.Head(g.RmsNorm(g.OutputRows(x), "output_norm", d.Epsilon)));
    }

    private static Node Experts(GraphBuilder g, HyperParameters p, Node h, string block)
    {
        var experts = p.Int("expert_count", "num_experts|num_local_experts");
        // GGUF files don't say it; all models of the family make the weights sum to one.
        var router = new RouterShape { Used = p.Int("expert_used_count", "num_experts_per_tok"), Renormalise = p.Bool("expert_weights_norm", "norm_topk_prob", p.IsGguf) };
        var routing = g.Router(g.Linear(h, $"{block}.ffn_gate_inp", experts), router);
        return g.Experts(h, routing, block, experts, p.Int("expert_feed_forward_length", "moe_intermediate_size"));
    }
}
