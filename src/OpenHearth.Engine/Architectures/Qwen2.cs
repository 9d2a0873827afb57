using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>Qwen 2 and 2.5: Llama with biases on queries, keys and values. Source: Qwen2 Technical Report, 2024.</summary>
internal sealed class Qwen2 : Architecture
{
    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        var layers = p.Int("block_count", "num_hidden_layers");
        var width = p.Int("embedding_length", "hidden_size");
        var hidden = p.Int("feed_forward_length", "intermediate_size");
        var heads = p.Int("attention.head_count", "num_attention_heads");
        var keyHeads = p.Int("attention.head_count_kv", "num_key_value_heads", heads, 1);
        var headWidth = p.Int("attention.key_length", "head_dim", width / heads, 1);
        var epsilon = p.Float("attention.layer_norm_rms_epsilon", "rms_norm_eps");
        var full = new AttentionShape { Heads = heads, KeyHeads = keyHeads, KeyWidth = headWidth, ValueWidth = headWidth, Scale = 1 / MathF.Sqrt(headWidth) };
        var windowed = full with { Window = p.Bool("", "use_sliding_window", false) ? p.Int("", "sliding_window", 0, 0) : 0 };
        var firstWindowed = p.Int("", "max_window_layers", layers, 0);
        var angles = RopeScaling.Angles(g, p, headWidth);

        var x = g.Embedding("token_embd", width);
        for (var layer = 0; layer < layers; layer++)
        {
            var block = $"blk.{layer}";
            var h = g.RmsNorm(x, $"{block}.attn_norm", epsilon);
            var q = g.Rope(g.Linear(h, $"{block}.attn_q", heads * headWidth), angles, headWidth, RotaryPairing.Halves);
            var k = g.Rope(g.Linear(h, $"{block}.attn_k", keyHeads * headWidth), angles, headWidth, RotaryPairing.Halves);
            var v = g.Linear(h, $"{block}.attn_v", keyHeads * headWidth);
            x = g.Sum(x, g.Linear(g.Attention(q, k, v, layer < firstWindowed ? full : windowed), $"{block}.attn_output", width));
            h = g.RmsNorm(x, $"{block}.ffn_norm", epsilon);
            x = g.Sum(x, g.GatedFeedForward(h, block, hidden));
        }
        return g.Build(g.Head(g.RmsNorm(g.OutputRows(x), "output_norm", epsilon)));
    }
}
