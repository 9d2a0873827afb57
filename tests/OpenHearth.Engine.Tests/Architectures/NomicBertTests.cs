using System.Text.Json.Nodes;
using OpenHearth.Engine.Files;

namespace OpenHearth.Engine.Tests.Architectures;

/// <summary>No fixture has a Nomic BERT, with experts or without: both forms of made-up ones against a scalar twin of the whole forward pass.</summary>
public sealed class NomicBertTests
{
    private const int Layers = 2;
    private const int Width = 24;
    private const int Heads = 3;
    private const int HeadWidth = Width / Heads;
    private const int Hidden = 40;
    private const int Vocabulary = 19;
    private const int Experts = 4;
    private const int Used = 2;
    private static readonly int[] Ids = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 17];

    private static readonly (string HuggingFace, string Gguf)[] Names =
    [
        ("attn.Wqkv.weight", "attn_qkv.weight"), ("attn.out_proj.weight", "attn_output.weight"), ("norm1.weight", "attn_output_norm.weight"), ("norm1.bias", "attn_output_norm.bias"),
        ("mlp.fc11.weight", "ffn_up.weight"), ("mlp.fc12.weight", "ffn_gate.weight"), ("mlp.fc2.weight", "ffn_down.weight"),
        ("norm2.weight", "layer_output_norm.weight"), ("norm2.bias", "layer_output_norm.bias"),
    ];

    // What experts give together has a bias in one form only.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Hidden_OfAMixture_IsThatOfTheScalarTwin(bool fuse)
    {
        foreach (var bias in (bool[])[false, true])
        {
            var model = MakeUp(mixture: true, bias);
            var expected = Twin(model).SelectMany(row => row).Select(value => (float)value).ToArray();
            Assert.InRange(LogitComparison.Error(expected, model.RunSafetensors(Ids, fuse)), 0, 1e-5);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Hidden_OfAMixture_IsTheSameWithAnyNumberOfThreads(int threads)
    {
        var folder = MakeUp(mixture: true, bias: true).WriteSafetensors();
        try
        {
            foreach (var exact in (bool[])[true, false])
                Assert.Equal(Run(folder, 2, exact), Run(folder, threads, exact));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Step_OfAMixtureOnceWarm_AllocatesNothing()
    {
        var folder = MakeUp(mixture: true, bias: true).WriteSafetensors();
        try
        {
            using var model = Model.Load(folder, new ModelOptions { Threads = 1 });
            using var session = model.CreateSession();
            session.Step(Ids);
            session.Truncate(0);
            var before = GC.GetAllocatedBytesForCurrentThread();
            session.Step(Ids);
            Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("moe_normalize_expert_weights", "true", "can't be true; tokens choose experts")]
    [InlineData("expert_choice_router", "true", "can't be true; tokens choose experts")]
    [InlineData("num_shared_experts", "1", "no expert is shared")]
    [InlineData("num_experts", "7", "expected [7, 24]")]
    [InlineData("moe_top_k", "9", "can't use 9 of 4 experts")]
    public void Load_OfAMixtureThatIsAnother_Refuses(string key, string value, string message)
    {
        var model = MakeUp(mixture: true);
        model.Config[key] = JsonNode.Parse(value);
        Assert.Contains(message, Assert.Throws<ModelFormatException>(() => model.RunSafetensors(Ids)).Message, StringComparison.Ordinal);
    }

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

    /// <summary>A version 1 or, as a mixture, 2, with or without a bias of what the experts give together.</summary>
    internal static EditableModel MakeUp(bool mixture = false, bool bias = false)
    {
        var model = new EditableModel();
        foreach (var (key, value) in new (string, JsonNode)[]
        {
            ("model_type", "nomic_bert"), ("n_embd", Width), ("n_head", Heads), ("n_layer", Layers), ("n_inner", Hidden), ("n_positions", 64), ("layer_norm_epsilon", 1e-12),
            ("rotary_emb_base", 1000), ("rotary_emb_fraction", 1.0), ("activation_function", mixture ? "gelu" : "swiglu"), ("prenorm", false), ("qkv_proj_bias", mixture),
        })
            model.Config[key] = value;
        if (mixture)
        {
            foreach (var (key, value) in new[] { ("num_experts", Experts), ("moe_top_k", Used), ("moe_every_n_layers", 2) })
                model.Config[key] = value;
        }
        model.SetRandom("embeddings.word_embeddings.weight", 1, 0, Vocabulary, Width).SetRandom("embeddings.token_type_embeddings.weight", 2, 0, 2, Width)
            .SetRandom("emb_ln.weight", 3, 1, Width).SetRandom("emb_ln.bias", 4, 0, Width);
        for (var layer = 0; layer < Layers; layer++)
        {
            var block = $"encoder.layers.{layer}";
            var seed = 10 * (layer + 1);
            model.SetRandom($"{block}.attn.Wqkv.weight", seed, 0, 3 * Width, Width).SetRandom($"{block}.attn.out_proj.weight", seed + 1, 0, Width, Width)
                .SetRandom($"{block}.mlp.fc11.weight", seed + 2, 0, Hidden, Width).SetRandom($"{block}.mlp.fc12.weight", seed + 3, 0, Hidden, Width)
                .SetRandom($"{block}.mlp.fc2.weight", seed + 4, 0, Width, Hidden);
            if (mixture)
                Mix(model, block, 100 * (layer + 1), hasExperts: layer == 1, bias);
            foreach (var norm in (int[])[1, 2])
                model.SetRandom($"{block}.norm{norm}.weight", seed + 4 + norm, 1, Width).SetRandom($"{block}.norm{norm}.bias", seed + 6 + norm, 0, Width);
        }
        return model;
    }

    private static void Mix(EditableModel model, string block, int seed, bool hasExperts, bool bias)
    {
        model.RemoveAll($"{block}.mlp.");
        model.SetRandom($"{block}.attn.Wqkv.bias", seed, 0, 3 * Width).SetRandom($"{block}.attn.out_proj.bias", seed + 1, 0, Width);
        if (!hasExperts)
        {
            model.SetRandom($"{block}.mlp.fc1.weight", seed + 2, 0, Hidden, Width).SetRandom($"{block}.mlp.fc1.bias", seed + 3, 0, Hidden)
                .SetRandom($"{block}.mlp.fc2.weight", seed + 4, 0, Width, Hidden).SetRandom($"{block}.mlp.fc2.bias", seed + 5, 0, Width);
            return;
        }
        model.SetRandom($"{block}.mlp.router.layer.weight", seed + 2, 0, Experts, Width).SetRandom($"{block}.mlp.experts.mlp.w1", seed + 3, 0, Experts * Hidden, Width)
            .SetRandom($"{block}.mlp.experts.mlp.w2", seed + 4, 0, Experts * Hidden, Width).SetRandom($"{block}.mlp.experts.bias", seed + 5, 0, Width);
        if (!bias)
            model[$"{block}.mlp.experts.bias"].AsSpan().Clear();
    }

    private static float[] Run(string folder, int threads, bool exact)
    {
        using var model = Model.Load(folder, new ModelOptions { Exact = exact, Threads = threads });
        using var session = model.CreateSession();
        var hidden = new float[(Ids.Length + 1) * Width];
        session.Step(Ids, hidden.AsSpan(0, Ids.Length * Width));
        session.Truncate(0);
        session.Step([1], hidden.AsSpan(Ids.Length * Width)); // a single token goes other ways
        return hidden;
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
            var qkv = rows.Select(x => Linear($"{block}.attn.Wqkv", x)).ToArray();
            var attended = Attend(qkv);
            rows = [.. rows.Select((x, t) => Norm(Sum(x, Linear($"{block}.attn.out_proj", attended[t])), $"{block}.norm1"))];
            rows = [.. rows.Select(x => Norm(Sum(x, Forward($"{block}.mlp", x)), $"{block}.norm2"))];
        }
        return rows;

        double[] Linear(string name, double[] x)
        {
            var y = Times(Weight($"{name}.weight"), x);
            return model.Has($"{name}.bias") ? Sum(y, Weight($"{name}.bias")) : y;
        }
        double[] Forward(string name, double[] x)
        {
            if (model.Has($"{name}.fc11.weight"))
            {
                var (up, gate) = (Linear($"{name}.fc11", x), Linear($"{name}.fc12", x));
                return Linear($"{name}.fc2", [.. up.Select((value, i) => value * gate[i] / (1 + Math.Exp(-gate[i])))]);
            }
            return model.Has($"{name}.fc1.weight") ? Linear($"{name}.fc2", [.. Linear($"{name}.fc1", x).Select(Gelu)]) : Mixed(name, x);
        }
        double[] Mixed(string name, double[] x)
        {
            var scores = Linear($"{name}.router.layer", x).Select(Math.Exp).ToArray();
            var sum = Weight($"{name}.experts.bias");
            var (first, second) = (Weight($"{name}.experts.mlp.w1"), Weight($"{name}.experts.mlp.w2"));
            foreach (var expert in Enumerable.Range(0, Experts).OrderByDescending(e => scores[e]).Take(Used))
            {
                var part = new Range(expert * Hidden * Width, (expert + 1) * Hidden * Width);
                var between = Times(first[part], x).Select(Gelu).ToArray();
                for (var i = 0; i < Width; i++)
                    sum[i] += scores[expert] / scores.Sum() * between.Select((value, h) => value * second[part][(h * Width) + i]).Sum();
            }
            return sum;
        }
    }

    // x times the normal distribution's integral up to it, by Simpson's rule.
    private static double Gelu(double x)
    {
        const int steps = 2000;
        var (sum, step) = (0.0, x / steps);
        for (var i = 0; i <= steps; i++)
            sum += (i is 0 or steps ? 1 : i % 2 == 0 ? 2 : 4) * Math.Exp(-i * step * i * step / 2);
        return x * (0.5 + (sum * step / 3 / Math.Sqrt(2 * Math.PI)));
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
