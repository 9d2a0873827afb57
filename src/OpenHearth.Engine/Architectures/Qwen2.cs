using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// Qwen 2 and 2.5: Llama with biases on queries, keys and values. The MoE sizes have experts, and one that all tokens share, with a
/// gate of its own. Source: Qwen2 Technical Report, 2024.
/// </summary>
internal sealed class Qwen2 : Architecture
{
    public override TensorNames Names(HyperParameters p) => TensorNames.Llama()
        .Add("blk.*.ffn_gate_inp_shexp", "layers.*.mlp.shared_expert_gate")
        .Add("blk.*.ffn_gate_shexp", "layers.*.mlp.shared_expert.gate_proj")
        .Add("blk.*.ffn_up_shexp", "layers.*.mlp.shared_expert.up_proj")
        .Add("blk.*.ffn_down_shexp", "layers.*.mlp.shared_expert.down_proj");

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
            var q = g.Rope(g.Linear(h, $"{block}.attn_q", d.Heads * d.HeadWidth), angles, d.HeadWidth, RotaryPairing.Halves);
            var k = g.Rope(g.Linear(h, $"{block}.attn_k", d.KeyHeads * d.HeadWidth), angles, d.HeadWidth, RotaryPairing.Halves);
            var v = g.Linear(h, $"{block}.attn_v", d.KeyHeads * d.HeadWidth);
            x = g.Sum(x, g.Linear(g.Attention(q, k, v, layer < firstWindowed ? d.Attention : windowed), $"{block}.attn_output", d.Width));
            h = g.RmsNorm(x, $"{block}.ffn_norm", d.Epsilon);
            x = g.Sum(x, g.Weights.Has($"{block}.ffn_gate_inp.weight") ? Experts(g, p, h, block) : g.GatedFeedForward(h, block, d.Hidden));
        }
        return g.Build(g.Head(g.RmsNorm(g.OutputRows(x), "output_norm", d.Epsilon)));
    }

    private static Node Experts(GraphBuilder g, HyperParameters p, Node h, string block)
    {
        var experts = p.Int("expert_count", "num_experts");
        var router = new RouterShape { Used = p.Int("expert_used_count", "num_experts_per_tok"), Renormalise = p.Bool("expert_weights_norm", "norm_topk_prob", false) };
        var routing = g.Router(g.Linear(h, $"{block}.ffn_gate_inp", experts), router);
        var routed = g.Experts(h, routing, block, experts, p.Int("expert_feed_forward_length", "moe_intermediate_size"));
        var shared = g.GatedFeedForward(h, block, p.Int("expert_shared_feed_forward_length", "shared_expert_intermediate_size"), ending: "_shexp");
        var gate = g.Activate(g.Linear(h, $"{block}.ffn_gate_inp_shexp", 1), ActivationKind.Sigmoid);
        return g.Sum(routed, g.ScaleRows(shared, gate));
    }
}
