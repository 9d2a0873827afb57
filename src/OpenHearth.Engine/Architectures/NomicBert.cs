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
        if (p.IsGguf)
            NoteClass(g, p);

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

    // The class of the model's own repository and that of transformers 5 have other keys, and each assumes what it isn't told.
    private static void NoteClass(GraphBuilder g, HyperParameters p)
    {
        foreach (var (key, own, huggingFace) in (ReadOnlySpan<(string, string, string)>)[
            ("block_count", "n_layer", "num_hidden_layers"), ("embedding_length", "n_embd", "hidden_size"), ("feed_forward_length", "n_inner", "intermediate_size"),
            ("attention.head_count", "n_head", "num_attention_heads"), ("context_length", "n_positions", "max_position_embeddings"), ("context_length", "max_trained_positions", "")])
        {
            var value = (uint)p.Int(key, "");
            p.Note("", own, value);
            p.Note("", huggingFace, value);
        }
        p.Note("", "layer_norm_eps", p.Float("attention.layer_norm_epsilon", ""));
        p.Note("", "rotary_emb_base", p.Rope()!.Theta);
        p.Note("", "activation_function", "swiglu");
        p.Note("", "hidden_act", "silu");
        p.Note("", "causal", false);
        p.Note("", "rotary_scaling_factor", null); // or the base would grow behind the trained positions
        p.Note("", "qkv_proj_bias", g.Weights.Has("blk.0.attn_qkv.bias"));
        p.Note("", "mlp_fc1_bias", g.Weights.Has("blk.0.ffn_up.bias"));
        p.Note("", "mlp_fc2_bias", g.Weights.Has("blk.0.ffn_down.bias"));
        const string code = "nomic-ai/nomic-bert-2048--";
        p.Note("", "auto_map.AutoConfig", $"{code}configuration_hf_nomic_bert.NomicBertConfig");
        p.Note("", "auto_map.AutoModel", $"{code}modeling_hf_nomic_bert.NomicBertModel");
    }
}
