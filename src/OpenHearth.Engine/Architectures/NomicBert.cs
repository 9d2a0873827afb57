using OpenHearth.Engine.Files;
using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.Elementwise;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// Nomic BERT, of nomic-embed-text: BERT with rotary positions and gated feed-forward blocks, without biases but in norms. Version 2 has
/// experts in some layers, none of its blocks has gates, and biases are everywhere.
/// All tokens are of the first segment. Source: Nussbaum et al., Nomic Embed, 2024; Nussbaum and Duderstadt, Training Sparse Mixture of Experts
/// Text Embedding Models, 2025.
/// </summary>
internal sealed class NomicBert : Architecture
{
    /// <summary>The key that tells a mixture: the second of so many layers has experts.</summary>
    public const string Mixture = "moe_every_n_layers";

    public override TensorNames Names(HyperParameters p)
    {
        var names = new TensorNames("bert.")
            .Add("token_embd", "embeddings.word_embeddings")
            .Add("token_types", "embeddings.token_type_embeddings")
            .Add("token_embd_norm", "emb_ln")
            .Add("blk.*.attn_qkv", "encoder.layers.*.attn.Wqkv")
            .Add("blk.*.attn_output", "encoder.layers.*.attn.out_proj")
            .Add("blk.*.attn_output_norm", "encoder.layers.*.norm1")
            .Add("blk.*.ffn_down", "encoder.layers.*.mlp.fc2")
            .Add("blk.*.layer_output_norm", "encoder.layers.*.norm2");
        if (!IsMixture(p))
            return names.Add("blk.*.ffn_up", "encoder.layers.*.mlp.fc11").Add("blk.*.ffn_gate", "encoder.layers.*.mlp.fc12");
        var experts = p.FindInt("expert_count", "num_experts") ?? 1;
        const string both = "encoder.layers.*.mlp.experts";
        return names
            .Add("blk.*.ffn_up", "encoder.layers.*.mlp.fc1")
            .Add("blk.*.ffn_gate_inp", "encoder.layers.*.mlp.router.layer")
            .Add("blk.*.ffn_exps", both)
            .Add("blk.*.ffn_up_exps.weight", $"{both}.mlp.w1", tensor => Stacked(tensor, experts), tensor => tensor.Flatten())
            // The class has both as [hidden, width] of each expert, and always a bias.
            .Add("blk.*.ffn_down_exps.weight", [$"{both}.mlp.w2", $"{both}.bias"], tensors => Stacked(tensors[0], experts).Transpose(),
                (tensor, part) => part == 0 ? tensor.Transpose().Flatten() : Zeros(tensor.Shape[^2]));
    }

    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        if (p.Bool("", "prenorm", false))
            throw p.Wrong("", "prenorm", "true; norms come after each sum");
        var isMixture = IsMixture(p);
        if (!isMixture && p.FindText("", "activation_function") is { } function and not "swiglu")
            throw p.Wrong("", "activation_function", function);
        var layers = p.Layers("n_layer");
        var width = p.Int("embedding_length", "n_embd");
        var hidden = p.Int("feed_forward_length", "n_inner");
        var heads = p.Int("attention.head_count", "n_head");
        var epsilon = p.Float("attention.layer_norm_epsilon", "layer_norm_epsilon");
        var headWidth = p.HeadWidth(width, heads);
        var shape = new AttentionShape { Heads = heads, KeyHeads = heads, KeyWidth = headWidth, ValueWidth = headWidth, Scale = 1 / MathF.Sqrt(headWidth), Causal = false };
        var angles = RopeScaling.Angles(g, p, (int)(headWidth * Math.Clamp(p.Float("", "rotary_emb_fraction", 1), 0, 1)));
        var block = isMixture ? MixedBlock(g, p, hidden) : (x, layer) => g.GatedFeedForward(x, $"blk.{layer}", hidden);
        Bert.NoteEncoder(g, p);
        if (p.IsGguf)
            NoteClass(g, p, isMixture);

        var x = g.LayerNorm(g.FirstSegment(g.Embedding("token_embd", width)), "token_embd_norm", epsilon);
        for (var layer = 0; layer < layers; layer++)
        {
            var name = $"blk.{layer}";
            var (q, k, v) = g.QueryKeyValue(x, $"{name}.attn_qkv", heads, heads, headWidth);
            q = g.Rope(q, angles, headWidth, RotaryPairing.Halves);
            k = g.Rope(k, angles, headWidth, RotaryPairing.Halves);
            x = g.Sum(x, g.Linear(g.Attention(q, k, v, shape), $"{name}.attn_output", width));
            x = g.LayerNorm(x, $"{name}.attn_output_norm", epsilon);
            x = g.Sum(x, block(x, layer));
            x = g.LayerNorm(layer == layers - 1 ? g.OutputRows(x) : x, $"{name}.layer_output_norm", epsilon);
        }
        return g.Build(x, OutputKind.Hidden);
    }

    // Feed-forward blocks of a mixture. The weights of the experts that a token uses stay what the softmax over all gives.
    private static Func<Node, int, Node> MixedBlock(GraphBuilder g, HyperParameters p, int hidden)
    {
        foreach (var key in (string[])["moe_normalize_expert_weights", "expert_choice_router"])
        {
            if (p.FindBool("", key) is true)
                throw p.Wrong("", key, "true; tokens choose experts, whose weights stay what a softmax over all gives");
        }
        if (p.FindNumber("", "num_shared_experts") is > 0)
            throw p.Wrong("", "num_shared_experts", "above 0; no expert is shared");
        var every = p.Int(Mixture, Mixture);
        var experts = p.Int("expert_count", "num_experts");
        var rule = new RouterShape { Used = p.Int("expert_used_count", "moe_top_k") };
        var activation = ActivationNames.Read(p, "activation_function", ActivationKind.Gelu);
        return (x, layer) =>
        {
            var block = $"blk.{layer}";
            if (layer % every != 1)
                return g.FeedForward(x, block, hidden, activation);
            var routing = g.Router(g.Linear(x, $"{block}.ffn_gate_inp", experts), rule);
            return WithBias(g, g.Experts(x, routing, block, experts, hidden, activation, gated: false), $"{block}.ffn_exps.bias", p);
        };
    }

    // Added once to what the experts give together. GGUF files have no place for it, but where it is zero none is needed.
    private static Node WithBias(GraphBuilder g, Node x, string name, HyperParameters p)
    {
        if (p.IsGguf || !g.Weights.Has(name))
            return x;
        var stored = g.Weights.Read(name, -1).Data;
        return stored.Span(0, checked((int)stored.Length)).ContainsAnyExcept((byte)0) ? g.Bias(x, g.Weights.Vector(name, x.Width)) : x;
    }

    private static bool IsMixture(HyperParameters p) => p.FindNumber(Mixture, Mixture) > 0;

    private static StoredTensor Stacked(StoredTensor tensor, int experts) => tensor.RowCount % experts == 0
        ? tensor with { Shape = [experts, tensor.RowCount / experts, tensor.Columns] }
        : throw new ModelFormatException($"tensor {ModelFormatException.Quote(tensor.Name)} has {tensor.RowCount} rows, which {experts} experts can't share");

    private static StoredTensor Zeros(long length)
    {
        var buffer = new NativeBuffer<byte>(checked(length * sizeof(float)));
        return new StoredTensor("zeros", TensorType.F32, [length], MemoryRegion.Of(buffer)) { Owner = buffer };
    }

    // The class of the model's own repository and that of transformers 5 have other keys, and each assumes what it isn't told.
    private static void NoteClass(GraphBuilder g, HyperParameters p, bool isMixture)
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
        p.Note("", "activation_function", isMixture ? "gelu" : "swiglu");
        p.Note("", "hidden_act", isMixture ? "gelu" : "silu");
        foreach (var key in (string[])["causal", "prenorm", "parallel_block", "rotary_emb_interleaved", "add_pooling_layer", "moe_normalize_expert_weights", "expert_choice_router"])
            p.Note("", key, false);
        foreach (var key in (string[])["num_shared_experts", "moe_resid_pdrop"])
            p.Note("", key, 0u);
        p.Note("", "rotary_emb_scale_base", null);
        p.Note("", "rotary_scaling_factor", null); // or the base would grow behind the trained positions
        p.Note("", "qkv_proj_bias", g.Weights.Has("blk.0.attn_qkv.bias"));
        p.Note("", "mlp_fc1_bias", g.Weights.Has("blk.0.ffn_up.bias"));
        p.Note("", "mlp_fc2_bias", g.Weights.Has("blk.0.ffn_down.bias"));
        const string code = "nomic-ai/nomic-bert-2048--";
        p.Note("", "auto_map.AutoConfig", $"{code}configuration_hf_nomic_bert.NomicBertConfig");
        p.Note("", "auto_map.AutoModel", $"{code}modeling_hf_nomic_bert.NomicBertModel");
    }
}
