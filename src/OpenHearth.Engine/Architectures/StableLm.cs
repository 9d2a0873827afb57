using OpenHearth.Engine.Files;
using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>StableLM 3B and 2 1.6B: Llama with layer norms and a part of each head rotated. Source: Bellagente et al., Stable LM 2 1.6B Technical Report, 2024.</summary>
internal sealed class StableLm : Architecture
{
    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        if (p.Bool("use_parallel_residual", "use_parallel_residual", false) || p.Bool("", "qk_layernorm", false) || g.Weights.Has("blk.0.attn_q_norm.weight"))
            throw new ModelFormatException($"{p.Path}: StableLM with \"use_parallel_residual\" or \"qk_layernorm\" (the 12B) is not known");
        var layers = p.Layers();
        var width = p.Int("embedding_length", "hidden_size");
        var hidden = p.Int("feed_forward_length", "intermediate_size");
        var heads = p.Int("attention.head_count", "num_attention_heads");
        var keyHeads = p.Int("attention.head_count_kv", "num_key_value_heads", heads, 1);
        var epsilon = p.Float("attention.layer_norm_epsilon", "layer_norm_eps|norm_eps");
        var headWidth = p.HeadWidth(width, heads);
        var shape = new AttentionShape { Heads = heads, KeyHeads = keyHeads, KeyWidth = headWidth, ValueWidth = headWidth, Scale = 1 / MathF.Sqrt(headWidth) };
        var angles = RopeScaling.Angles(g, p, p.Int("rope.dimension_count", "", (int)(headWidth * (p.Rope()?.PartialRotaryFactor ?? 0.25)), 2));

        var x = g.Embedding("token_embd", width);
        for (var layer = 0; layer < layers; layer++)
        {
            var block = $"blk.{layer}";
            var h = g.LayerNorm(x, $"{block}.attn_norm", epsilon);
            var q = g.Rope(g.Linear(h, $"{block}.attn_q", heads * headWidth), angles, headWidth, RotaryPairing.Halves);
            var k = g.Rope(g.Linear(h, $"{block}.attn_k", keyHeads * headWidth), angles, headWidth, RotaryPairing.Halves);
            var v = g.Linear(h, $"{block}.attn_v", keyHeads * headWidth);
            x = g.Sum(x, g.Linear(g.Attention(q, k, v, shape), $"{block}.attn_output", width));
            h = g.LayerNorm(x, $"{block}.ffn_norm", epsilon);
            x = g.Sum(x, g.GatedFeedForward(h, block, hidden));
        }
        return g.Build(g.Head(g.LayerNorm(g.OutputRows(x), "output_norm", epsilon)));
    }
}
