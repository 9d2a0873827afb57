using System.Text.Json.Nodes;

namespace OpenHearth.Engine.Tests.Architectures;

/// <summary>No fixture has a Nomic BERT: both forms of a made-up one against a scalar twin of the whole forward pass.</summary>
public sealed class NomicBertTests
{
    private const int Layers = 2;
    private const int Width = 24;
    private const int Heads = 3;
    private const int HeadWidth = Width / Heads;
    private const int Hidden = 40;
    private const int Vocabulary = 19;
    private static readonly int[] Ids = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 17];

    private static readonly (string HuggingFace, string Gguf)[] Names =
    [
        ("attn.Wqkv.weight", "attn_qkv.weight"), ("attn.out_proj.weight", "attn_output.weight"), ("norm1.weight", "attn_output_norm.weight"), ("norm1.bias", "attn_output_norm.bias"),
        ("mlp.fc11.weight", "ffn_up.weight"), ("mlp.fc12.weight", "ffn_gate.weight"), ("mlp.fc2.weight", "ffn_down.weight"),
        ("norm2.weight", "layer_output_norm.weight"), ("norm2.bias", "layer_output_norm.bias"),
    ];

    [Theory]
    [InlineData(false, true)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public void Hidden_OfEitherForm_IsThatOfTheScalarTwin(bool gguf, bool fuse)
    {
        var model = MakeUp();
        var expected = Twin(model).SelectMany(row => row).Select(value => (float)value).ToArray();
        var actual = gguf ? ToGguf(model).RunGguf("nomic-bert", Ids, fuse) : model.RunSafetensors(Ids, fuse);
        Assert.InRange(LogitComparison.Error(expected, actual), 0, 1e-5);
    }

    internal static EditableModel MakeUp()
    {
        var model = new EditableModel();
        foreach (var (key, value) in new (string, JsonNode)[]
        {
            ("model_type", "nomic_bert"), ("n_embd", Width), ("n_head", Heads), ("n_layer", Layers), ("n_inner", Hidden), ("n_positions", 64), ("layer_norm_epsilon", 1e-12),
            ("rotary_emb_base", 1000), ("rotary_emb_fraction", 1.0), ("activation_function", "swiglu"), ("prenorm", false), ("qkv_proj_bias", false),
        })
            model.Config[key] = value;
        model.SetRandom("embeddings.word_embeddings.weight", 1, 0, Vocabulary, Width).SetRandom("embeddings.token_type_embeddings.weight", 2, 0, 2, Width)
            .SetRandom("emb_ln.weight", 3, 1, Width).SetRandom("emb_ln.bias", 4, 0, Width);
        for (var layer = 0; layer < Layers; layer++)
        {
            var block = $"encoder.layers.{layer}";
            var seed = 10 * (layer + 1);
            model.SetRandom($"{block}.attn.Wqkv.weight", seed, 0, 3 * Width, Width).SetRandom($"{block}.attn.out_proj.weight", seed + 1, 0, Width, Width)
                .SetRandom($"{block}.mlp.fc11.weight", seed + 2, 0, Hidden, Width).SetRandom($"{block}.mlp.fc12.weight", seed + 3, 0, Hidden, Width)
                .SetRandom($"{block}.mlp.fc2.weight", seed + 4, 0, Width, Hidden);
            foreach (var norm in (int[])[1, 2])
                model.SetRandom($"{block}.norm{norm}.weight", seed + 4 + norm, 1, Width).SetRandom($"{block}.norm{norm}.bias", seed + 6 + norm, 0, Width);
        }
        return model;
    }

    private static EditableModel ToGguf(EditableModel model)
    {
        var gguf = new EditableModel();
        foreach (var (key, value) in new[] { ("block_count", Layers), ("context_length", 64), ("embedding_length", Width), ("feed_forward_length", Hidden), ("attention.head_count", Heads) })
            gguf.Metadata[key] = (uint)value;
        gguf.Metadata["attention.layer_norm_epsilon"] = 1e-12f;
        gguf.Metadata["rope.freq_base"] = 1000f;
        void Move(string from, string to)
        {
            var (shape, values) = model.Remove(from);
            gguf.Set(to, values, shape);
        }
        Move("embeddings.word_embeddings.weight", "token_embd.weight");
        Move("embeddings.token_type_embeddings.weight", "token_types.weight");
        Move("emb_ln.weight", "token_embd_norm.weight");
        Move("emb_ln.bias", "token_embd_norm.bias");
        for (var layer = 0; layer < Layers; layer++)
        {
            foreach (var (from, to) in Names)
                Move($"encoder.layers.{layer}.{from}", $"blk.{layer}.{to}");
        }
        return gguf;
    }

    // [tokens][width], in double precision
    private static double[][] Twin(EditableModel model)
    {
        double[] Weight(string name) => Array.ConvertAll(model[name], value => (double)value);
        double[] Norm(double[] x, string name)
        {
            var mean = x.Average();
            var deviation = Math.Sqrt(x.Average(value => (value - mean) * (value - mean)) + 1e-12);
            return [.. x.Select((value, i) => ((value - mean) / deviation * model[$"{name}.weight"][i]) + model[$"{name}.bias"][i])];
        }
        var words = Weight("embeddings.word_embeddings.weight");
        var segment = Weight("embeddings.token_type_embeddings.weight");
        var rows = Ids.Select(id => Norm([.. Enumerable.Range(0, Width).Select(i => words[(id * Width) + i] + segment[i])], "emb_ln")).ToArray();
        for (var layer = 0; layer < Layers; layer++)
        {
            var block = $"encoder.layers.{layer}";
            var qkv = rows.Select(x => Times(Weight($"{block}.attn.Wqkv.weight"), x)).ToArray();
            var attended = Attend(qkv);
            rows = [.. rows.Select((x, t) => Norm(Sum(x, Times(Weight($"{block}.attn.out_proj.weight"), attended[t])), $"{block}.norm1"))];
            rows = [.. rows.Select(x =>
            {
                var up = Times(Weight($"{block}.mlp.fc11.weight"), x);
                var gate = Times(Weight($"{block}.mlp.fc12.weight"), x);
                return Norm(Sum(x, Times(Weight($"{block}.mlp.fc2.weight"), [.. up.Select((value, i) => value * gate[i] / (1 + Math.Exp(-gate[i])))])), $"{block}.norm2");
            })];
        }
        return rows;
    }

    private static double[][] Attend(double[][] qkv)
    {
        var attended = qkv.Select(_ => new double[Width]).ToArray();
        for (var head = 0; head < Heads; head++)
        {
            var q = qkv.Select((row, t) => Turn(row.AsSpan(head * HeadWidth, HeadWidth), t)).ToArray();
            var k = qkv.Select((row, t) => Turn(row.AsSpan(Width + (head * HeadWidth), HeadWidth), t)).ToArray();
            for (var t = 0; t < qkv.Length; t++)
            {
                var scores = k.Select(key => Math.Exp(key.Zip(q[t], (a, b) => a * b).Sum() / Math.Sqrt(HeadWidth))).ToArray();
                for (var i = 0; i < HeadWidth; i++)
                    attended[t][(head * HeadWidth) + i] = qkv.Select((row, s) => row[(2 * Width) + (head * HeadWidth) + i] * scores[s]).Sum() / scores.Sum();
            }
        }
        return attended;
    }

    private static double[] Turn(ReadOnlySpan<double> x, int position)
    {
        var y = new double[HeadWidth];
        for (var i = 0; i < HeadWidth / 2; i++)
        {
            var (sin, cos) = Math.SinCos(position * Math.Pow(1000, -2.0 * i / HeadWidth));
            y[i] = (x[i] * cos) - (x[i + (HeadWidth / 2)] * sin);
            y[i + (HeadWidth / 2)] = (x[i + (HeadWidth / 2)] * cos) + (x[i] * sin);
        }
        return y;
    }

    private static double[] Times(double[] matrix, double[] x) =>
        [.. Enumerable.Range(0, matrix.Length / x.Length).Select(r => x.Select((value, i) => value * matrix[(r * x.Length) + i]).Sum())];

    private static double[] Sum(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x + y)];
}
