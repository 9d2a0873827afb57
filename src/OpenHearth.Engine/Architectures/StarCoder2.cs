using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>StarCoder 2: Llama's shape with layer norms, biases and a plain feed-forward block. Source: Lozhkov et al., StarCoder 2 and The Stack v2, 2024.</summary>
internal sealed class StarCoder2 : Architecture
{
    public override TensorNames Names(HyperParameters p) => TensorNames.Llama()
        .Replace("blk.*.ffn_up", "layers.*.mlp.c_fc")
        .Replace("blk.*.ffn_down", "layers.*.mlp.c_proj");

    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        var layers = p.Layers();
        var width = p.Int("embedding_length", "hidden_size");
        var hidden = p.Int("feed_forward_length", "intermediate_size");
        var heads = p.Int("attention.head_count", "num_attention_heads");
        var keyHeads = p.Int("attention.head_count_kv", "num_key_value_heads", heads, 1);
        var epsilon = p.Float("attention.layer_norm_epsilon", "norm_epsilon");
        var activation = ActivationNames.Read(p, "hidden_act", ActivationKind.GeluTanh);
        var headWidth = p.HeadWidth(width, heads);
        var shape = new AttentionShape
        {
            Heads = heads,
            KeyHeads = keyHeads,
            KeyWidth = headWidth,
            ValueWidth = headWidth,
            Scale = 1 / MathF.Sqrt(headWidth),
            Window = p.Int("attention.sliding_window", "sliding_window", 0, 0),
        };
        var angles = RopeScaling.Angles(g, p, headWidth);

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
            x = g.Sum(x, g.FeedForward(h, block, hidden, activation));
        }
        return g.Build(g.Head(g.LayerNorm(g.OutputRows(x), "output_norm", epsilon)));
    }
}
