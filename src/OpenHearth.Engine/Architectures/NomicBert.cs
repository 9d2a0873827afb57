using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// Nomic BERT, of nomic-embed-text: BERT with rotary positions and gated feed-forward blocks, without biases but in norms.
/// All tokens are of the first segment. Source: Nussbaum et al., Nomic Embed, 2024.
/// </summary>
internal sealed class NomicBert : Architecture
{
    public override TensorNames Names(HyperParameters p) => new TensorNames("bert.")
        .Add("token_embd", "embeddings.word_embeddings")
        .Add("token_types", "embeddings.token_type_embeddings")
        .Add("token_embd_norm", "emb_ln")
        .Add("blk.*.attn_qkv", "encoder.layers.*.attn.Wqkv")
        .Add("blk.*.attn_output", "encoder.layers.*.attn.out_proj")
        .Add("blk.*.attn_output_norm", "encoder.layers.*.norm1")
        .Add("blk.*.ffn_up", "encoder.layers.*.mlp.fc11")
        .Add("blk.*.ffn_gate", "encoder.layers.*.mlp.fc12")
        .Add("blk.*.ffn_down", "encoder.layers.*.mlp.fc2")
        .Add("blk.*.layer_output_norm", "encoder.layers.*.norm2");

    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        if (p.Bool("", "prenorm", false))
            throw p.Wrong("", "prenorm", "true; norms come after each sum");
        if (p.FindText("", "activation_function") is { } activation and not "swiglu")
            throw p.Wrong("", "activation_function", activation);
        var layers = p.Layers("n_layer");
        var width = p.Int("embedding_length", "n_embd");
        var hidden = p.Int("feed_forward_length", "n_inner");
        var heads = p.Int("attention.head_count", "n_head");
        var epsilon = p.Float("attention.layer_norm_epsilon", "layer_norm_epsilon");
        var headWidth = p.HeadWidth(width, heads);
        var shape = new AttentionShape { Heads = heads, KeyHeads = heads, KeyWidth = headWidth, ValueWidth = headWidth, Scale = 1 / MathF.Sqrt(headWidth), Causal = false };
        var angles = RopeScaling.Angles(g, p, (int)(headWidth * Math.Clamp(p.Float("", "rotary_emb_fraction", 1), 0, 1)));
        Bert.NoteEncoder(g, p);

        var x = g.LayerNorm(g.FirstSegment(g.Embedding("token_embd", width)), "token_embd_norm", epsilon);
        for (var layer = 0; layer < layers; layer++)
        {
            var block = $"blk.{layer}";
            var (q, k, v) = g.QueryKeyValue(x, $"{block}.attn_qkv", heads, heads, headWidth);
            q = g.Rope(q, angles, headWidth, RotaryPairing.Halves);
            k = g.Rope(k, angles, headWidth, RotaryPairing.Halves);
            x = g.Sum(x, g.Linear(g.Attention(q, k, v, shape), $"{block}.attn_output", width));
            x = g.LayerNorm(x, $"{block}.attn_output_norm", epsilon);
            x = g.Sum(x, g.GatedFeedForward(x, block, hidden));
            x = g.LayerNorm(layer == layers - 1 ? g.OutputRows(x) : x, $"{block}.layer_output_norm", epsilon);
        }
        return g.Build(x, OutputKind.Hidden);
    }
}
