using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// GPT-NeoX 20B and Pythia: a part of each head is rotated, attention and feed-forward block read the same residual
/// through norms of their own. Source: Black et al., GPT-NeoX-20B, 2022.
/// </summary>
internal sealed class GptNeoX : Architecture
{
    public override TensorNames Names(HyperParameters p) => new TensorNames("gpt_neox.")
        .Add("token_embd", "embed_in")
        .Add("output", "embed_out")
        .Add("output_norm", "final_layer_norm")
        .Add("blk.*.attn_norm", "layers.*.input_layernorm")
        .Add("blk.*.attn_qkv", "layers.*.attention.query_key_value", tensor => tensor.Ungroup(HeadCount(p), 1), tensor => tensor.Group(HeadCount(p), 1))
        .Add("blk.*.attn_output", "layers.*.attention.dense")
        .Add("blk.*.ffn_norm", "layers.*.post_attention_layernorm")
        .Add("blk.*.ffn_up", "layers.*.mlp.dense_h_to_4h")
        .Add("blk.*.ffn_down", "layers.*.mlp.dense_4h_to_h");

    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        var layers = p.Layers();
        var width = p.Int("embedding_length", "hidden_size");
        var hidden = p.Int("feed_forward_length", "intermediate_size");
        var heads = HeadCount(p);
        var epsilon = p.Float("attention.layer_norm_epsilon", "layer_norm_eps");
        var parallel = p.Bool("use_parallel_residual", "use_parallel_residual", true);
        var activation = ActivationNames.Read(p, "hidden_act", ActivationKind.Gelu);
        var headWidth = p.HeadWidth(width, heads);
        var shape = new AttentionShape { Heads = heads, KeyHeads = heads, KeyWidth = headWidth, ValueWidth = headWidth, Scale = 1 / MathF.Sqrt(headWidth) };
        var rope = p.Rope();
        var turning = p.Int("rope.dimension_count", "", (int)(headWidth * (rope?.PartialRotaryFactor ?? 0.25)), 2);
        var angles = RopeScaling.Angles(g, p, turning);
        // The class has names of its own for both.
        p.Note("", "partial_rotary_factor", (double)turning / headWidth);
        p.Note("", "rotary_pct", (double)turning / headWidth);
        p.Note("", "rotary_emb_base", rope?.Theta ?? 10000);

        var x = g.Embedding("token_embd", width);
        for (var layer = 0; layer < layers; layer++)
        {
            var block = $"blk.{layer}";
            var h = g.LayerNorm(x, $"{block}.attn_norm", epsilon);
            var (q, k, v) = g.QueryKeyValue(h, $"{block}.attn_qkv", heads, heads, headWidth);
            q = g.Rope(q, angles, headWidth, RotaryPairing.Halves);
            k = g.Rope(k, angles, headWidth, RotaryPairing.Halves);
            var afterAttention = g.Sum(x, g.Linear(g.Attention(q, k, v, shape), $"{block}.attn_output", width));
            h = g.LayerNorm(parallel ? x : afterAttention, $"{block}.ffn_norm", epsilon);
            x = g.Sum(afterAttention, g.FeedForward(h, block, hidden, activation));
        }
        return g.Build(g.Head(g.LayerNorm(g.OutputRows(x), "output_norm", epsilon)));
    }

    private static int HeadCount(HyperParameters p) => p.Int("attention.head_count", "num_attention_heads");
}
