using OpenHearth.Engine.Files;
using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// BLOOM: ALiBi in place of positions, a norm right after the embedding, biases everywhere.
/// Source: BigScience, BLOOM: A 176B-Parameter Open-Access Multilingual Language Model, 2022.
/// </summary>
internal sealed class Bloom : Architecture
{
    public override TensorNames Names(HyperParameters p) => new TensorNames("transformer.")
        .Add("token_embd", "word_embeddings")
        .Add("token_embd_norm", "word_embeddings_layernorm")
        .Add("output", "lm_head")
        .Add("output_norm", "ln_f")
        .Add("blk.*.attn_norm", "h.*.input_layernorm")
        .Add("blk.*.attn_qkv", "h.*.self_attention.query_key_value", tensor => tensor.Ungroup(HeadCount(p), 1), tensor => tensor.Group(HeadCount(p), 1))
        .Add("blk.*.attn_output", "h.*.self_attention.dense")
        .Add("blk.*.ffn_norm", "h.*.post_attention_layernorm")
        .Add("blk.*.ffn_up", "h.*.mlp.dense_h_to_4h")
        .Add("blk.*.ffn_down", "h.*.mlp.dense_4h_to_h");

    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        if (p.Bool("", "apply_residual_connection_post_layernorm", false))
            throw new ModelFormatException($"{p.Path}: \"apply_residual_connection_post_layernorm\" true is not known");
        var layers = p.Layers("n_layer|num_hidden_layers");
        var width = p.Int("embedding_length", "hidden_size|n_embed");
        var hidden = p.Int("feed_forward_length", "", checked(4 * width), 1);
        var heads = HeadCount(p);
        var epsilon = p.Float("attention.layer_norm_epsilon", "layer_norm_epsilon");
        var headWidth = p.HeadWidth(width, heads);
        var shape = new AttentionShape { Heads = heads, KeyHeads = heads, KeyWidth = headWidth, ValueWidth = headWidth, Scale = 1 / MathF.Sqrt(headWidth) };
        var slopes = Alibi.Slopes(heads);
        _ = p.FindInt("context_length", "seq_length");

        var x = g.LayerNorm(g.Embedding("token_embd", width), "token_embd_norm", epsilon);
        for (var layer = 0; layer < layers; layer++)
        {
            var block = $"blk.{layer}";
            var h = g.LayerNorm(x, $"{block}.attn_norm", epsilon);
            var (q, k, v) = g.QueryKeyValue(h, $"{block}.attn_qkv", heads, heads, headWidth);
            x = g.Sum(x, g.Linear(g.Attention(q, k, v, shape, slopes: slopes), $"{block}.attn_output", width));
            h = g.LayerNorm(x, $"{block}.ffn_norm", epsilon);
            x = g.Sum(x, g.FeedForward(h, block, hidden, ActivationKind.GeluTanh));
        }
        return g.Build(g.Head(g.LayerNorm(g.OutputRows(x), "output_norm", epsilon)));
    }

    private static int HeadCount(HyperParameters p) => p.Int("attention.head_count", "n_head|num_attention_heads");
}
