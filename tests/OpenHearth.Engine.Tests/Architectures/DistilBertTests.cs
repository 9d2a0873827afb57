using System.Text.Json.Nodes;

namespace OpenHearth.Engine.Tests.Architectures;

/// <summary>No fixture has a DistilBERT: it is a BERT whose segments add nothing.</summary>
public sealed class DistilBertTests
{
    private static readonly int[] Ids = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 17];

    private static readonly (string Bert, string Distilled)[] Names =
    [
        ("attention.self.query", "attention.q_lin"), ("attention.self.key", "attention.k_lin"), ("attention.self.value", "attention.v_lin"), ("attention.output.dense", "attention.out_lin"),
        ("attention.output.LayerNorm", "sa_layer_norm"), ("intermediate.dense", "ffn.lin1"), ("output.dense", "ffn.lin2"), ("output.LayerNorm", "output_layer_norm"),
    ];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Hidden_IsThatOfABertWithoutSegments(bool fuse)
    {
        var bert = MakeUp("bert", rows: 19);
        bert["embeddings.token_type_embeddings.weight"].AsSpan().Clear();
        Assert.Equal(bert.RunSafetensors(Ids, fuse), Distill(bert).RunSafetensors(Ids, fuse));
    }

    /// <summary>A BERT, RoBERTa or DistilBERT of two layers with random numbers.</summary>
    /// <param name="type">As in config.json.</param>
    /// <param name="rows">Ids.</param>
    internal static EditableModel MakeUp(string type, int rows)
    {
        if (type == "distilbert")
            return Distill(MakeUp("bert", rows));
        const int width = 24, hidden = 40, positions = 64;
        var isRoberta = type.EndsWith("roberta", StringComparison.Ordinal);
        var model = new EditableModel();
        foreach (var (key, value) in new (string, JsonNode)[]
        {
            ("model_type", type), ("architectures", new JsonArray(type switch { "bert" => "BertModel", "roberta" => "RobertaModel", _ => "XLMRobertaModel" })), ("hidden_size", width),
            ("num_attention_heads", 3), ("num_hidden_layers", 2), ("intermediate_size", hidden), ("max_position_embeddings", positions), ("layer_norm_eps", 1e-12), ("hidden_act", "gelu"),
            ("pad_token_id", isRoberta ? 1 : 0), ("type_vocab_size", isRoberta ? 1 : 2), ("vocab_size", rows),
        })
            model.Config[key] = value;
        model.SetRandom("embeddings.word_embeddings.weight", 1, 0, rows, width).SetRandom("embeddings.position_embeddings.weight", 2, 0, positions, width)
            .SetRandom("embeddings.token_type_embeddings.weight", 3, 0, isRoberta ? 1 : 2, width);
        if (isRoberta)
            model["embeddings.position_embeddings.weight"].AsSpan(0, 2 * width).Clear(); // of no token
        Add("embeddings.LayerNorm", 4, 1, width);
        for (var layer = 0; layer < 2; layer++)
        {
            var (block, seed) = ($"encoder.layer.{layer}", 20 * (layer + 1));
            foreach (var name in (string[])["attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"])
                Add($"{block}.{name}", seed += 2, 0, width, width);
            Add($"{block}.intermediate.dense", seed + 2, 0, hidden, width);
            Add($"{block}.output.dense", seed + 4, 0, width, hidden);
            Add($"{block}.attention.output.LayerNorm", seed + 6, 1, width);
            Add($"{block}.output.LayerNorm", seed + 8, 1, width);
        }
        return model;

        void Add(string name, int seed, float center, params long[] shape) => model.SetRandom($"{name}.weight", seed, center, shape).SetRandom($"{name}.bias", seed + 1, 0, shape[0]);
    }

    private static EditableModel Distill(EditableModel bert)
    {
        var model = new EditableModel();
        foreach (var (key, value) in new (string, JsonNode)[]
        {
            ("model_type", "distilbert"), ("architectures", new JsonArray("DistilBertModel")), ("activation", "gelu"), ("max_position_embeddings", 64), ("pad_token_id", 0), ("vocab_size", (int)bert.Config["vocab_size"]!),
            ("dim", 24), ("n_heads", 3), ("n_layers", 2), ("hidden_dim", 40),
        })
            model.Config[key] = value;
        void Move(string from, string to)
        {
            var (shape, values) = bert.Remove(from);
            model.Set(to, values, shape);
        }
        foreach (var name in (string[])["word_embeddings.weight", "position_embeddings.weight", "LayerNorm.weight", "LayerNorm.bias"])
            Move($"embeddings.{name}", $"embeddings.{name}");
        foreach (var (from, to) in Names)
        {
            foreach (var ending in (string[])["weight", "bias"])
            {
                Move($"encoder.layer.0.{from}.{ending}", $"transformer.layer.0.{to}.{ending}");
                Move($"encoder.layer.1.{from}.{ending}", $"transformer.layer.1.{to}.{ending}");
            }
        }
        return model;
    }
}
