using OpenHearth.Engine.Files;
using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// BERT and, with positions that count from behind the padding token, RoBERTa and XLM-RoBERTa: encoders whose norms come
/// after each sum. All tokens are of the first segment. Source: Devlin et al., BERT, 2018; Conneau et al., XLM-R, 2019.
/// </summary>
internal sealed class Bert : Architecture
{
    public override TensorNames Names(HyperParameters p)
    {
        var isRoberta = p.FindText("", "model_type") is "roberta" or "xlm-roberta" or "camembert";
        var padding = p.Int("", "pad_token_id", 1, 0);
        return new TensorNames(isRoberta ? "roberta." : "bert.")
            .Add("token_embd", "embeddings.word_embeddings")
            .Add("position_embd", "embeddings.position_embeddings", isRoberta ? table => BehindPadding(table, padding) : null)
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
        var layers = p.Layers();
        var width = p.Int("embedding_length", "hidden_size");
        var hidden = p.Int("feed_forward_length", "intermediate_size");
        var heads = p.Int("attention.head_count", "num_attention_heads");
        var epsilon = p.Float("attention.layer_norm_epsilon", "layer_norm_eps");
        var activation = ActivationNames.Read(p, "hidden_act", ActivationKind.Gelu);
        var headWidth = p.HeadWidth(width, heads);
        var shape = new AttentionShape { Heads = heads, KeyHeads = heads, KeyWidth = headWidth, ValueWidth = headWidth, Scale = 1 / MathF.Sqrt(headWidth), Causal = false };

        var positions = g.Weights.Rows("position_embd.weight");
        // llama.cpp counts none before the padding token's.
        p.Note("context_length", (uint)positions);
        NoteEncoder(g, p);

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

    /// <summary>Says what GGUF files have of every encoder, though here its class and tensors tell.</summary>
    public static void NoteEncoder(GraphBuilder g, HyperParameters p)
    {
        p.Note("attention.causal", false);
        p.Note("tokenizer.ggml.token_type_count", g.Weights.Has("token_types.weight") ? (uint)g.Weights.Rows("token_types.weight") : 1u);
    }

    private static StoredTensor BehindPadding(StoredTensor table, int padding) => table.RowCount > padding + 1
        ? table.Rows(padding + 1, table.RowCount - padding - 1)
        : throw new ModelFormatException($"tensor {ModelFormatException.Quote(table.Name)} has {table.RowCount} rows, none of them behind \"pad_token_id\" {padding}");
}
