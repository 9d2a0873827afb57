using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// Command R7B and Command A: attention and feed-forward block side by side, three layers with a window and rotation for
/// each one with neither. Source: Cohere, Command A: An Enterprise-Ready Large Language Model, 2025.
/// </summary>
internal sealed class Cohere2 : Architecture
{
    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        var d = new DecoderParameters(p);
        var epsilon = p.Float("attention.layer_norm_epsilon", "layer_norm_eps");
        var windowed = d.Attention with { Window = p.Int("attention.sliding_window", "sliding_window") };
        var isWindowed = d.WindowedLayers(every: 4);
        var angles = RopeScaling.Angles(g, p, d.RotaryWidth);

        var x = g.Embedding("token_embd", d.Width);
        for (var layer = 0; layer < d.Layers; layer++)
        {
            var block = $"blk.{layer}";
            var h = g.LayerNorm(x, $"{block}.attn_norm", epsilon);
            var q = g.Linear(h, $"{block}.attn_q", d.Heads * d.HeadWidth);
            var k = g.Linear(h, $"{block}.attn_k", d.KeyHeads * d.HeadWidth);
            var v = g.Linear(h, $"{block}.attn_v", d.KeyHeads * d.HeadWidth);
            if (isWindowed[layer])
            {
                q = g.Rope(q, angles, d.HeadWidth, RotaryPairing.Neighbours);
                k = g.Rope(k, angles, d.HeadWidth, RotaryPairing.Neighbours);
            }
            var attention = g.Linear(g.Attention(q, k, v, isWindowed[layer] ? windowed : d.Attention), $"{block}.attn_output", d.Width);
            x = g.Sum(x, g.Sum(attention, g.GatedFeedForward(h, block, d.Hidden)));
        }
        var scores = g.Head(g.LayerNorm(g.OutputRows(x), "output_norm", epsilon));
        return g.Build(g.Scale(scores, p.Float("logit_scale", "logit_scale")));
    }
}
