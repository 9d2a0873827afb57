using OpenHearth.Engine.Files;
using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// Falcon 7B, 11B, 40B and 180B: attention and feed-forward block side by side on one residual, one key head or a few.
/// The 7B norms once for both, the larger ones once for each. Source: Almazrouei et al., The Falcon Series, 2023.
/// </summary>
internal sealed class Falcon : Architecture
{
    private const string HasGroups = "new_decoder_architecture", NormCount = "num_ln_in_parallel_attn";

    public override TensorNames Names(HyperParameters p) => new TensorNames("transformer.")
        .Add("token_embd", "word_embeddings")
        .Add("output", "lm_head")
        .Add("output_norm", "ln_f")
        .Add("blk.*.attn_norm", HasTwoNorms(p) ? "h.*.ln_mlp" : "h.*.input_layernorm")
        .Add("blk.*.attn_norm_2", "h.*.ln_attn")
        .Add("blk.*.attn_qkv", "h.*.self_attention.query_key_value", tensor => Ungroup(tensor, p), tensor => Group(tensor, p))
        .Add("blk.*.attn_output", "h.*.self_attention.dense")
        .Add("blk.*.ffn_up", "h.*.mlp.dense_h_to_4h")
        .Add("blk.*.ffn_down", "h.*.mlp.dense_4h_to_h");

    // Each key head's rows follow each other: its queries, the key, the value.
    private static StoredTensor Ungroup(StoredTensor tensor, HyperParameters p)
    {
        var (heads, keyHeads) = HeadCounts(p);
        return tensor.Ungroup(keyHeads, heads / keyHeads);
    }

    private static StoredTensor Group(StoredTensor tensor, HyperParameters p)
    {
        var (heads, keyHeads) = HeadCounts(p);
        return tensor.Group(keyHeads, heads / keyHeads);
    }

    private static bool HasTwoNorms(HyperParameters p) => p.FindNumber("", NormCount) is { } count ? count == 2 : p.FindBool("", HasGroups) == true;

    private static (int Heads, int KeyHeads) HeadCounts(HyperParameters p)
    {
        var heads = p.Int("attention.head_count", "num_attention_heads|n_head");
        var several = p.IsGguf || p.Bool("", HasGroups, false) || !p.Bool("", "multi_query", true);
        var keyHeads = p.Int("attention.head_count_kv", several ? "num_kv_heads|n_head_kv" : "", several ? heads : 1, 1);
        return heads % keyHeads == 0 ? (heads, keyHeads) : throw p.Wrong("attention.head_count_kv", "num_kv_heads", $"{keyHeads} for {heads} heads");
    }

    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        if (p.Bool("", "alibi", false) || !p.Bool("", "parallel_attn", true))
            throw new ModelFormatException($"{p.Path}: Falcon with \"alibi\" true or \"parallel_attn\" false (Falcon-RW) is not known; use Falcon 7B, 11B, 40B or 180B");
        var layers = p.Layers("num_hidden_layers|n_layer");
        var width = p.Int("embedding_length", "hidden_size");
        var hidden = p.Int("feed_forward_length", "ffn_hidden_size", checked(4 * width), 1);
        var (heads, keyHeads) = HeadCounts(p);
        var epsilon = p.Float("attention.layer_norm_epsilon", "layer_norm_epsilon");
        var activation = ActivationNames.Read(p, "activation", ActivationKind.Gelu);
        var headWidth = p.HeadWidth(width, heads);
        var shape = new AttentionShape { Heads = heads, KeyHeads = keyHeads, KeyWidth = headWidth, ValueWidth = headWidth, Scale = 1 / MathF.Sqrt(headWidth) };
        var angles = RopeScaling.Angles(g, p, headWidth);
        NoteForm(g, p, heads, keyHeads);

        var x = g.Embedding("token_embd", width);
        for (var layer = 0; layer < layers; layer++)
        {
            var block = $"blk.{layer}";
            var h = g.LayerNorm(x, $"{block}.attn_norm", epsilon);
            var a = g.Weights.Has($"{block}.attn_norm_2.weight") ? g.LayerNorm(x, $"{block}.attn_norm_2", epsilon) : h;
            var (q, k, v) = g.QueryKeyValue(a, $"{block}.attn_qkv", heads, keyHeads, headWidth);
            q = g.Rope(q, angles, headWidth, RotaryPairing.Halves);
            k = g.Rope(k, angles, headWidth, RotaryPairing.Halves);
            var attention = g.Linear(g.Attention(q, k, v, shape), $"{block}.attn_output", width);
            x = g.Sum(x, g.Sum(attention, g.FeedForward(h, block, hidden, activation)));
        }
        return g.Build(g.Head(g.LayerNorm(g.OutputRows(x), "output_norm", epsilon)));
    }

    // GGUF files leave these to what tensors there are.
    private static void NoteForm(GraphBuilder g, HyperParameters p, int heads, int keyHeads)
    {
        var hasTwoNorms = g.Weights.Has("blk.0.attn_norm_2.weight");
        var hasGroups = hasTwoNorms || (keyHeads > 1 && keyHeads < heads);
        p.Note("", HasGroups, hasGroups);
        if (hasGroups)
            p.Note("", NormCount, hasTwoNorms ? 2u : 1u);
        p.Note("", "multi_query", hasGroups || keyHeads == 1);
        p.Note("", "bias", g.Weights.Has("blk.0.attn_qkv.bias"));
    }
}
