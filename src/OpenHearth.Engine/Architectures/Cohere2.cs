using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Kernels.Attention;
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
        var layers = p.Layers();
        var width = p.Int("embedding_length", "hidden_size");
        var hidden = p.Int("feed_forward_length", "intermediate_size");
        var heads = p.Int("attention.head_count", "num_attention_heads");
        var keyHeads = p.Int("attention.head_count_kv", "num_key_value_heads", heads, 1);
        var headWidth = p.Int("attention.key_length", "head_dim", width / heads, 1);
        var epsilon = p.Float("attention.layer_norm_epsilon", "layer_norm_eps");
        var full = new AttentionShape { Heads = heads, KeyHeads = keyHeads, KeyWidth = headWidth, ValueWidth = headWidth, Scale = 1 / MathF.Sqrt(headWidth) };
        var windowed = full with { Window = p.Int("attention.sliding_window", "sliding_window") };
        var period = p.Int("", "sliding_window_pattern", 4, 1);
        var kinds = p.FindTexts("", "layer_types");
        if (kinds is not null && kinds.Length < layers)
            throw p.Wrong("", "layer_types", $"a list of {kinds.Length} for {layers} layers");
        var angles = RopeScaling.Angles(g, p, p.Int("rope.dimension_count", "", headWidth, 2));

        var x = g.Embedding("token_embd", width);
        for (var layer = 0; layer < layers; layer++)
        {
            var block = $"blk.{layer}";
            var isWindowed = kinds is null ? (layer + 1) % period != 0 : kinds[layer] == "sliding_attention";
            var h = g.LayerNorm(x, $"{block}.attn_norm", epsilon);
            var q = g.Linear(h, $"{block}.attn_q", heads * headWidth);
            var k = g.Linear(h, $"{block}.attn_k", keyHeads * headWidth);
            var v = g.Linear(h, $"{block}.attn_v", keyHeads * headWidth);
            if (isWindowed)
            {
                q = g.Rope(q, angles, headWidth, RotaryPairing.Neighbours);
                k = g.Rope(k, angles, headWidth, RotaryPairing.Neighbours);
            }
            var attention = g.Linear(g.Attention(q, k, v, isWindowed ? windowed : full), $"{block}.attn_output", width);
            x = g.Sum(x, g.Sum(attention, g.GatedFeedForward(h, block, hidden)));
        }
        var scores = g.Head(g.LayerNorm(g.OutputRows(x), "output_norm", epsilon));
        return g.Build(g.Scale(scores, p.Float("logit_scale", "logit_scale")));
    }
}
