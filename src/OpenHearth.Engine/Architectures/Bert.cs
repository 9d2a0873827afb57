using OpenHearth.Engine.Files;
using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// BERT and, with positions that count from behind the padding token, RoBERTa and XLM-RoBERTa; without segments, DistilBERT: encoders
/// whose norms come after each sum. All tokens are of the first segment. Source: Devlin et al., BERT, 2018; Conneau et al., XLM-R,
/// 2019; Sanh et al., DistilBERT, 2019.
/// </summary>
internal sealed class Bert : Architecture
{
    public override TensorNames Names(HyperParameters p)
    {
        if (IsDistilled(p))
            return DistilledNames();
        var isRoberta = p.FindText("", "model_type") is "roberta" or "xlm-roberta" or "camembert";
        var padding = p.Int("", "pad_token_id", 1, 0);
        return new TensorNames(isRoberta ? "roberta." : "bert.")
            .Add("token_embd", "embeddings.word_embeddings")
            .Add("position_embd", "embeddings.position_embeddings", isRoberta ? table => BehindPadding(table, padding) : null, isRoberta ? table => table.BehindZeros(padding + 1) : null)
            .Add("token_types", "embeddings.token_type_embeddings")
            .Add("token_embd_norm", "embeddings.LayerNorm")
            .Add("blk.*.attn_q", "encoder.layer.*.attention.self.query")
            .Add("blk.*.attn_k", "encoder.layer.*.attention.self.key")
            .Add("blk.*.attn_v", "encoder.layer.*.attention.self.value")
            .Add("blk.*.attn_output", "encoder.layer.*.attention.output.dense")
            .Add("blk.*.attn_output_norm", "encoder.layer.*.attention.output.LayerNorm")
            .Add("blk.*.ffn_up", "encoder.layer.*.intermediate.dense")
            .Add("blk.*.ffn_down", "encoder.layer.*.output.dense")
            .Add("blk.*.layer_output_norm", "encoder.layer.*.output.LayerNorm")
            .Ignore("pooler.dense.weight") // for classifiers
            .Ignore("pooler.dense.bias")
            .Ignore("embeddings.position_ids"); // 0, 1, 2, …
    }

    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        if (p.FindText("", "position_embedding_type") is { } kind and not "absolute")
            throw p.Wrong("", "position_embedding_type", $"{ModelFormatException.Quote(kind)}; 'absolute' is known");
        var layers = p.Layers("num_hidden_layers|n_layers");
        var width = p.Int("embedding_length", "hidden_size|dim");
        var hidden = p.Int("feed_forward_length", "intermediate_size|hidden_dim");
        var heads = p.Int("attention.head_count", "num_attention_heads|n_heads");
        // DistilBERT's class knows no other.
        var epsilon = IsDistilled(p) ? p.Float("attention.layer_norm_epsilon", "", 1e-12f) : p.Float("attention.layer_norm_epsilon", "layer_norm_eps");
        var activation = ActivationNames.Read(p, "hidden_act|activation", ActivationKind.Gelu);
        var headWidth = p.HeadWidth(width, heads);
        var shape = new AttentionShape { Heads = heads, KeyHeads = heads, KeyWidth = headWidth, ValueWidth = headWidth, Scale = 1 / MathF.Sqrt(headWidth), Causal = false };

        var positions = g.Weights.Rows("position_embd.weight");
        // llama.cpp counts none before the padding token's.
        p.Note("context_length", (uint)positions);
        NoteEncoder(g, p);
        if (p.IsGguf)
            NoteClass(g, p, positions);

        var x = g.Sum(g.Embedding("token_embd", width), g.PositionEmbedding("position_embd", positions, width));
        x = g.LayerNorm(g.FirstSegment(x), "token_embd_norm", epsilon);
        for (var layer = 0; layer < layers; layer++)
        {
            var block = $"blk.{layer}";
            var q = g.Linear(x, $"{block}.attn_q", width);
            var k = g.Linear(x, $"{block}.attn_k", width);
            var v = g.Linear(x, $"{block}.attn_v", width);
            x = g.Sum(x, g.Linear(g.Attention(q, k, v, shape), $"{block}.attn_output", width));
            x = g.LayerNorm(x, $"{block}.attn_output_norm", epsilon);
            x = g.Sum(x, g.FeedForward(x, block, hidden, activation));
            x = g.LayerNorm(layer == layers - 1 ? g.OutputRows(x) : x, $"{block}.layer_output_norm", epsilon);
        }
        return g.Build(x, OutputKind.Hidden);
    }

    /// <summary>Says what either form has of every encoder, though the other's class and tensors tell.</summary>
    /// <param name="g">What the forward pass is written against.</param>
    /// <param name="p">What the model says of itself.</param>
    /// <param name="padding">The padding token where the model names none.</param>
    public static void NoteEncoder(GraphBuilder g, HyperParameters p, int padding = 0)
    {
        var segments = Segments(g);
        p.Note("attention.causal", false);
        p.Note("tokenizer.ggml.token_type_count", segments > 0 ? "type_vocab_size" : "", (uint)Math.Max(segments, 1));
        // Classes assume ids that need not be in the vocabulary.
        p.Note("", "pad_token_id", (uint)Padding(g, p, padding));
    }

    // GGUF has one name for all of them. Their classes know one segment, two and none.
    private static void NoteClass(GraphBuilder g, HyperParameters p, int positions)
    {
        var (type, name) = Segments(g) switch
        {
            0 => ("distilbert", "DistilBertModel"),
            1 => p.FindText("tokenizer.ggml.model", "") == "gpt2" ? ("roberta", "RobertaModel") : ("xlm-roberta", "XLMRobertaModel"),
            _ => ("bert", "BertModel"),
        };
        if (type.EndsWith("roberta", StringComparison.Ordinal))
        {
            NoteEncoder(g, p, padding: 1);
            positions += Padding(g, p, 1) + 1;
        }
        p.Note("", "model_type", type);
        p.Note("", "architectures", new[] { name });
        p.Note("", "max_position_embeddings", (uint)positions);
        if (type != "distilbert")
            return;
        foreach (var (gguf, key) in (ReadOnlySpan<(string, string)>)[("block_count", "n_layers"), ("embedding_length", "dim"), ("feed_forward_length", "hidden_dim"), ("attention.head_count", "n_heads")])
            p.Note("", key, (uint)p.Int(gguf, ""));
    }

    private static int Segments(GraphBuilder g) => g.Weights.Has("token_types.weight") ? g.Weights.Rows("token_types.weight") : 0;

    // Files write 4294967295 for "none".
    private static int Padding(GraphBuilder g, HyperParameters p, int fallback) =>
        p.FindNumber("tokenizer.ggml.padding_token_id", "pad_token_id") is { } id and >= 0 && id < g.Weights.Rows("token_embd.weight") ? (int)id : fallback;

    private static bool IsDistilled(HyperParameters p) => p.FindText("", "model_type") == "distilbert";

    private static TensorNames DistilledNames() => new TensorNames("distilbert.")
        .Add("token_embd", "embeddings.word_embeddings")
        .Add("position_embd", "embeddings.position_embeddings")
        .Add("token_embd_norm", "embeddings.LayerNorm")
        .Add("blk.*.attn_q", "transformer.layer.*.attention.q_lin")
        .Add("blk.*.attn_k", "transformer.layer.*.attention.k_lin")
        .Add("blk.*.attn_v", "transformer.layer.*.attention.v_lin")
        .Add("blk.*.attn_output", "transformer.layer.*.attention.out_lin")
        .Add("blk.*.attn_output_norm", "transformer.layer.*.sa_layer_norm")
        .Add("blk.*.ffn_up", "transformer.layer.*.ffn.lin1")
        .Add("blk.*.ffn_down", "transformer.layer.*.ffn.lin2")
        .Add("blk.*.layer_output_norm", "transformer.layer.*.output_layer_norm");

    private static StoredTensor BehindPadding(StoredTensor table, int padding) => table.RowCount > padding + 1
        ? table.Rows(padding + 1, table.RowCount - padding - 1)
        : throw new ModelFormatException($"tensor {ModelFormatException.Quote(table.Name)} has {table.RowCount} rows, none of them behind \"pad_token_id\" {padding}");
}
