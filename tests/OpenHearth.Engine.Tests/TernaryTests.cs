using System.Runtime.InteropServices;
using OpenHearth.Engine.Conversion;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Engine.Files.Safetensors;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Tests.Conversion;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Engine.Tests;

/// <summary>A BitNet whose ternary matrices are stored with one scale each, as Microsoft's tools or transformers do, against the same in F32.</summary>
public sealed class TernaryTests : IDisposable
{
    private const int Width = 128;
    private const int Vocabulary = 50;

    private readonly string _folder = Directory.CreateTempSubdirectory("hearth-ternary-").FullName;

    private int _hidden = 256;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("I2_S", true)]
    [InlineData("I2_S", false)]
    [InlineData("autobitlinear", true)]
    [InlineData("bitlinear", true)]
    public void Logits_OfTernaryTensors_AreThoseOfTheirValues(string form, bool fuse)
    {
        var expected = Logits(WriteGguf(ternary: false), fuse);
        var actual = Logits(form == "I2_S" ? WriteGguf(ternary: true) : WritePacked(form), fuse);
        Assert.InRange(LogitComparison.Error(expected, actual), 0, 1e-5);
    }

    [Theory]
    [InlineData("I2_S")]
    [InlineData("autobitlinear")]
    [InlineData("bitlinear")]
    public void Convert_OfTernaryTensors_GivesTheLogitsOfTheirValues(string form)
    {
        var expected = Logits(WriteGguf(ternary: false), fuse: true);
        var path = Convert(form == "I2_S" ? WriteGguf(ternary: true) : WritePacked(form), "converted.gguf");
        Assert.InRange(LogitComparison.Error(expected, Logits(path, fuse: true)), 0, 1e-5);
    }

    [Theory]
    [InlineData(256)]
    [InlineData(258 * 128)] // of more than a megabyte, which a survey doesn't keep
    public void Convert_OfActivationsOf8Bits_GivesPackedMatricesAndTheSameLogits(int hidden)
    {
        _hidden = hidden;
        var original = WriteGguf(ternary: true);
        Assert.Equal(Logits(original, fuse: true), Logits(Convert(original, "back"), fuse: true));
        WritePacked("autobitlinear");
        MadeUpFormTests.AssertSame(_folder, Convert(original, "again"));
        MadeUpFormTests.AssertSame(_folder, Convert(WriteGguf(ternary: false), "plain"));
        MadeUpFormTests.AssertSame(_folder, Convert(Convert(_folder, "there.gguf"), "and back"));
        using var narrow = SafetensorsModel.Open(Convert(original, "narrow", "bf16"));
        Assert.Equal(
            [TensorType.U8, TensorType.F32, TensorType.BF16],
            ((string[])["layers.0.mlp.up_proj.weight", "layers.0.mlp.up_proj.weight_scale", "embed_tokens.weight"]).Select(name => narrow.Tensors.Single(tensor => tensor.Name == $"model.{name}").Type));
    }

    [Fact]
    public void Convert_OfActivationsOf8BitsBesideOtherMatrices_Refuses()
    {
        var path = Convert(WriteGguf(ternary: false), "blocks.gguf", "q4_0");
        var refusal = Assert.Throws<NotSupportedException>(() => Convert(path, "refused"));
        Assert.Contains("matrices of 0 and one number with either sign", refusal.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_folder, "refused")));
    }

    [Fact]
    public void Graph_OfABitNet_RoundsWhatEveryTernaryMatrixTakes()
    {
        using var model = Model.Load(WriteGguf(ternary: true));
        var products = model.Graph.Nodes.OfType<LinearOp>().Where(product => !product.IsHead).ToList();
        Assert.Equal(7, products.Count);
        Assert.All(products, product => Assert.IsType<ByteRoundingOp>(product.Inputs[0]));
    }

    // The op has its own twin; here it is seen to be in the graph, and to go where the file says so.
    [Fact]
    public void Logits_WithActivationsOf8Bits_AreNearThoseWithout()
    {
        var rounded = Logits(WriteGguf(ternary: false), fuse: true);
        var plain = Logits(WriteGguf(ternary: false, activationBits: 32), fuse: true);
        Assert.InRange(LogitComparison.Error(plain, rounded), 1e-3, 0.1);
        Assert.Equal(rounded, Logits(WriteGguf(ternary: false, activationBits: 8), fuse: true));
        Assert.Contains("activation_bits", Assert.Throws<ModelFormatException>(() => Model.Load(WriteGguf(ternary: false, activationBits: 4))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_OfATernaryEmbedding_IsRefused()
    {
        var failure = Assert.Throws<ModelFormatException>(() => Model.Load(WriteGguf(ternary: true, ternaryEmbedding: true)));
        Assert.Contains("'token_embd.weight' has type I2_S", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_OfWeightsFromBeforeTheyWereTernary_IsRefused()
    {
        var failure = Assert.Throws<ModelFormatException>(() => Model.Load(WritePacked("autobitlinear", "online")));
        Assert.Contains("\"quantization_mode\" 'online'", failure.Message, StringComparison.Ordinal);
    }

    private string Convert(string model, string name, string type = "f32")
    {
        var output = Path.Combine(_folder, name);
        ModelConversion.Convert(model, output, ConversionType.Find(type)!, cancellation: TestContext.Current.CancellationToken);
        return output;
    }

    private static float[] Logits(string path, bool fuse)
    {
        int[] ids = [.. Enumerable.Range(0, 33).Select(i => i * 7 % Vocabulary)];
        var logits = new float[ids.Length * Vocabulary];
        using var model = Model.Load(path, new ModelOptions { Exact = true, Threads = 2 }, fuse);
        Assert.Empty(model.UnusedTensors);
        using var session = model.CreateSession();
        session.Step(ids, logits);
        return logits;
    }

    private string WriteGguf(bool ternary, bool ternaryEmbedding = false, uint? activationBits = null)
    {
        var writer = new GgufWriter();
        writer.Add("general.architecture", "bitnet-b1.58");
        foreach (var (key, value) in new (string, uint)[]
        {
            ("block_count", 1), ("context_length", 64), ("embedding_length", Width), ("feed_forward_length", (uint)_hidden), ("attention.head_count", 4), ("attention.head_count_kv", 2),
        })
            writer.Add($"bitnet-b1.58.{key}", value);
        writer.Add("bitnet-b1.58.attention.layer_norm_rms_epsilon", 1e-5f);
        writer.Add("bitnet-b1.58.rope.freq_base", 500000f);
        if (activationBits is { } bits)
            writer.Add("bitnet-b1.58.activation_bits", bits);
        writer.Add("tokenizer.ggml.model", "no_vocab");
        Describe(
            (name, _, rows, columns, codes, scale) =>
            {
                var stored = ternary && (ternaryEmbedding || name != "token_embd");
                byte[] bytes = stored ? [.. PackInputs(codes), .. BitConverter.GetBytes(scale), .. new byte[28]] : Bytes(codes.Select(code => (code - 1) * scale));
                writer.AddTensor($"{name}.weight", stored ? TensorType.I2_S : TensorType.F32, [columns, rows], stream => stream.Write(bytes));
            },
            (name, _, values) => writer.AddTensor($"{name}.weight", TensorType.F32, [values.Length], stream => stream.Write(Bytes(values))));
        var path = Path.Combine(_folder, $"{ternary}.gguf");
        writer.Write(path, TestContext.Current.CancellationToken);
        return path;
    }

    private string WritePacked(string linear, string mode = "offline")
    {
        var writer = new SafetensorsWriter();
        Describe(
            (name, foreign, rows, columns, codes, scale) =>
            {
                if (name == "token_embd")
                {
                    writer.AddTensor($"{foreign}.weight", TensorType.F32, [rows, columns], stream => stream.Write(Bytes(codes.Select(code => (code - 1) * scale))));
                    return;
                }
                writer.AddTensor($"{foreign}.weight", TensorType.U8, [rows / 4, columns], stream => stream.Write(PackOutputs(codes)));
                writer.AddTensor($"{foreign}.weight_scale", TensorType.F32, [1], stream => stream.Write(BitConverter.GetBytes(linear == "bitlinear" ? 1 / scale : scale)));
            },
            (_, foreign, values) => writer.AddTensor($"{foreign}.weight", TensorType.F32, [values.Length], stream => stream.Write(Bytes(values))));
        writer.Write(Path.Combine(_folder, "model.safetensors"), TestContext.Current.CancellationToken);
        File.WriteAllText(Path.Combine(_folder, "config.json"), $$"""
            {"model_type": "bitnet", "architectures": ["BitNetForCausalLM"], "num_hidden_layers": 1, "max_position_embeddings": 64, "hidden_size": {{Width}},
             "intermediate_size": {{_hidden}}, "num_attention_heads": 4, "num_key_value_heads": 2, "rms_norm_eps": 1e-5, "rope_theta": 500000.0, "hidden_act": "relu2",
             "quantization_config": {"quant_method": "bitnet", "linear_class": "{{linear}}", "quantization_mode": "{{mode}}" } }
            """);
        return _folder;
    }

    // The same numbers at every call; names are those of GGUF files and of Hugging Face.
    private void Describe(Action<string, string, int, int, byte[], float> matrix, Action<string, string, float[]> norm)
    {
        var random = new Random(3);
        void Matrix(string name, string foreign, int rows, int columns) =>
            matrix(name, foreign, rows, columns, [.. Enumerable.Range(0, rows * columns).Select(_ => (byte)random.Next(3))], 0.02f + (0.1f * random.NextSingle()));
        void Norm(string name, string foreign, int length) =>
            norm(name, foreign, [.. Enumerable.Range(0, length).Select(_ => 0.5f + random.NextSingle())]);
        const string Layer = "model.layers.0";
        Matrix("token_embd", "model.embed_tokens", Vocabulary, Width);
        Norm("output_norm", "model.norm", Width);
        Norm("blk.0.attn_norm", $"{Layer}.input_layernorm", Width);
        Matrix("blk.0.attn_q", $"{Layer}.self_attn.q_proj", Width, Width);
        Matrix("blk.0.attn_k", $"{Layer}.self_attn.k_proj", Width / 2, Width);
        Matrix("blk.0.attn_v", $"{Layer}.self_attn.v_proj", Width / 2, Width);
        Norm("blk.0.attn_sub_norm", $"{Layer}.self_attn.attn_sub_norm", Width);
        Matrix("blk.0.attn_output", $"{Layer}.self_attn.o_proj", Width, Width);
        Norm("blk.0.ffn_norm", $"{Layer}.post_attention_layernorm", Width);
        Matrix("blk.0.ffn_gate", $"{Layer}.mlp.gate_proj", _hidden, Width);
        Matrix("blk.0.ffn_up", $"{Layer}.mlp.up_proj", _hidden, Width);
        Norm("blk.0.ffn_sub_norm", $"{Layer}.mlp.ffn_sub_norm", _hidden);
        Matrix("blk.0.ffn_down", $"{Layer}.mlp.down_proj", Width, _hidden);
    }

    private static byte[] Bytes(IEnumerable<float> values) => MemoryMarshal.AsBytes(values.ToArray().AsSpan()).ToArray();

    // Of 128 values, byte j holds those at j, 32 + j, 64 + j and 96 + j, the first in its highest bits.
    private static byte[] PackInputs(byte[] codes)
    {
        var bytes = new byte[codes.Length / 4];
        for (var i = 0; i < codes.Length; i++)
            bytes[(i / 128 * 32) + (i % 32)] |= (byte)(codes[i] << (6 - (i % 128 / 32 * 2)));
        return bytes;
    }

    // A byte holds four outputs, a quarter of the matrix apart, the first in its lowest bits.
    private static byte[] PackOutputs(byte[] codes)
    {
        var bytes = new byte[codes.Length / 4];
        for (var i = 0; i < codes.Length; i++)
            bytes[i % bytes.Length] |= (byte)(codes[i] << (2 * (i / bytes.Length)));
        return bytes;
    }
}
