using OpenHearth.Engine.Files;
using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>MPT: ALiBi in place of positions, norms without biases. Source: MosaicML, MPT-7B and MPT-30B, 2023.</summary>
internal sealed class Mpt : Architecture
{
    public override TensorNames Names(HyperParameters p) => new TensorNames("transformer.")
        .Add("token_embd", "wte")
        .Add("output", "lm_head")
        .Add("output_norm", "norm_f")
        .Add("blk.*.attn_norm", "blocks.*.norm_1")
        .Add("blk.*.attn_qkv", "blocks.*.attn.Wqkv")
        .Add("blk.*.attn_output", "blocks.*.attn.out_proj")
        .Add("blk.*.ffn_norm", "blocks.*.norm_2")
        .Add("blk.*.ffn_up", "blocks.*.ffn.up_proj")
        .Add("blk.*.ffn_down", "blocks.*.ffn.down_proj");

    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        var steepest = p.Float("attention.max_alibi_bias", "attn_config.alibi_bias_max", 8);
        if (!p.Bool("", "attn_config.alibi", true) || steepest <= 0)
            throw new ModelFormatException($"{p.Path}: MPT without ALiBi is not known");
        if (p.Bool("", "attn_config.qk_ln", false) || g.Weights.Has("blk.0.attn_q_norm.weight"))
            throw new ModelFormatException($"{p.Path}: MPT with \"qk_ln\" is not known");
        var limit = p.Float("attention.clamp_kqv", "attn_config.clip_qkv", 0);
        var growth = p.Int("", "expansion_ratio", 4, 1);
        var layers = p.Layers("n_layers");
        var width = p.Int("embedding_length", "d_model");
        var hidden = p.Int("feed_forward_length", "", growth <= HyperParameters.Largest / width ? growth * width : throw p.Wrong("", "expansion_ratio", growth), 1);
        var heads = p.Int("attention.head_count", "n_heads");
        var epsilon = p.Float("attention.layer_norm_epsilon", "layer_norm_epsilon", 1e-5f);
        var headWidth = p.HeadWidth(width, heads);
        var scale = p.FindFloat("", "attn_config.softmax_scale") ?? 1 / MathF.Sqrt(headWidth);
        var shape = new AttentionShape { Heads = heads, KeyHeads = heads, KeyWidth = headWidth, ValueWidth = headWidth, Scale = scale };
        var slopes = Alibi.Slopes(heads, steepest);
        NoteForm(g, p, hidden / width);

        var x = g.Embedding("token_embd", width);
        for (var layer = 0; layer < layers; layer++)
        {
            var block = $"blk.{layer}";
            var h = g.LayerNorm(x, $"{block}.attn_norm", epsilon);
            var (q, k, v) = g.QueryKeyValue(h, $"{block}.attn_qkv", heads, heads, headWidth);
            x = g.Sum(x, g.Linear(g.Attention(g.Clamp(q, limit), g.Clamp(k, limit), g.Clamp(v, limit), shape, slopes: slopes), $"{block}.attn_output", width));
            h = g.LayerNorm(x, $"{block}.ffn_norm", epsilon);
            x = g.Sum(x, g.FeedForward(h, block, hidden, ActivationKind.Gelu));
        }
        return g.Build(g.Head(g.LayerNorm(g.OutputRows(x), "output_norm", epsilon)));
    }

    // GGUF files leave these to what tensors there are.
    private static void NoteForm(GraphBuilder g, HyperParameters p, int growth)
    {
        _ = p.FindInt("context_length", "max_seq_len");
        p.Note("", "expansion_ratio", (uint)growth);
        p.Note("", "learned_pos_emb", false);
        p.Note("", "no_bias", !g.Weights.Has("blk.0.attn_qkv.bias"));
    }
}
