using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// OLMo 2: Llama with its norms behind each block instead of before, and norms over all queries and all keys together.
/// OLMo 3 has a window on three layers of four, whose positions are not scaled.
/// Source: 2 OLMo 2 Furious, 2024; Olmo 3 technical report, 2025.
/// </summary>
internal sealed class Olmo2 : Architecture
{
    public override TensorNames Names(HyperParameters p) => TensorNames.Llama()
        .Add("blk.*.post_attention_norm", "layers.*.post_attention_layernorm")
        .Add("blk.*.post_ffw_norm", "layers.*.post_feedforward_layernorm");

    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        var d = new DecoderParameters(p);
        var windowed = d.Attention with { Window = d.Window };
        var hasWindow = d.WindowedLayers(4);
        if (d.Window > 0)
            p.Note("attention.sliding_window_pattern", hasWindow);
        var fullAngles = g.RopeAngles(RopeScaling.Frequencies(p.Rope("full_attention") ?? RopeScaling.Default(10000), p, d.RotaryWidth));
        var windowAngles = g.RopeAngles(d.WindowRope());

        var x = g.Embedding("token_embd", d.Width);
        for (var layer = 0; layer < d.Layers; layer++)
        {
            var block = $"blk.{layer}";
            var angles = hasWindow[layer] ? windowAngles : fullAngles;
            var q = g.RmsNorm(g.Linear(x, $"{block}.attn_q", d.Heads * d.HeadWidth), $"{block}.attn_q_norm", d.Epsilon);
            var k = g.RmsNorm(g.Linear(x, $"{block}.attn_k", d.KeyHeads * d.HeadWidth), $"{block}.attn_k_norm", d.Epsilon);
            var v = g.Linear(x, $"{block}.attn_v", d.KeyHeads * d.HeadWidth);
            q = g.Rope(q, angles, d.HeadWidth, RotaryPairing.Halves);
            k = g.Rope(k, angles, d.HeadWidth, RotaryPairing.Halves);
            var h = g.Linear(g.Attention(q, k, v, hasWindow[layer] ? windowed : d.Attention), $"{block}.attn_output", d.Width);
            x = g.Sum(x, g.RmsNorm(h, $"{block}.post_attention_norm", d.Epsilon));
            x = g.Sum(x, g.RmsNorm(g.GatedFeedForward(x, block, d.Hidden), $"{block}.post_ffw_norm", d.Epsilon));
        }
        return g.Build(g.Head(g.RmsNorm(g.OutputRows(x), "output_norm", d.Epsilon)));
    }
}
