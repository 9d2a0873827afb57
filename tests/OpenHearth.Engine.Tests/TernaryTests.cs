using System.Runtime.InteropServices;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Engine.Tests;

/// <summary>A BitNet whose ternary matrices are stored as Microsoft's tools do, with one scale behind each, against the same in F32.</summary>
public sealed class TernaryTests : IDisposable
{
    private const int Width = 128;
    private const int Hidden = 256;
    private const int Vocabulary = 50;

    private readonly List<string> _files = [];

    public void Dispose() => _files.ForEach(File.Delete);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Logits_OfTernaryTensors_AreThoseOfTheirValues(bool fuse)
    {
        int[] ids = [.. Enumerable.Range(0, 33).Select(i => i * 7 % Vocabulary)];
        var results = new float[2][];
        for (var i = 0; i < 2; i++)
        {
            using var model = Model.Load(Write(ternary: i == 1), new ModelOptions { Exact = true, Threads = 2 }, fuse);
            Assert.Empty(model.UnusedTensors);
            using var session = model.CreateSession();
            session.Step(ids, results[i] = new float[ids.Length * Vocabulary]);
        }
        Assert.InRange(LogitComparison.Error(results[0], results[1]), 0, 1e-5);
    }

    [Fact]
    public void Load_OfATernaryEmbedding_IsRefused()
    {
        var failure = Assert.Throws<ModelFormatException>(() => Model.Load(Write(ternary: true, ternaryEmbedding: true)));
        Assert.Contains("'token_embd.weight' has type I2_S", failure.Message, StringComparison.Ordinal);
    }

    private string Write(bool ternary, bool ternaryEmbedding = false)
    {
        var random = new Random(3);
        var writer = new GgufWriter();
        writer.Add("general.architecture", "bitnet-b1.58");
        foreach (var (key, value) in new (string, uint)[]
        {
            ("block_count", 2), ("context_length", 64), ("embedding_length", Width), ("feed_forward_length", Hidden), ("attention.head_count", 4), ("attention.head_count_kv", 2),
        })
            writer.Add($"bitnet-b1.58.{key}", value);
        writer.Add("bitnet-b1.58.attention.layer_norm_rms_epsilon", 1e-5f);
        writer.Add("bitnet-b1.58.rope.freq_base", 500000f);
        writer.Add("tokenizer.ggml.model", "no_vocab");
        void Matrix(string name, int rows, int columns, bool stored)
        {
            var codes = Enumerable.Range(0, rows * columns).Select(_ => (byte)random.Next(3)).ToArray();
            var scale = 0.02f + (0.1f * random.NextSingle());
            byte[] bytes = stored ? [.. Pack(codes), .. BitConverter.GetBytes(scale), .. new byte[28]] : MemoryMarshal.AsBytes(codes.Select(code => (code - 1) * scale).ToArray().AsSpan()).ToArray();
            writer.AddTensor($"{name}.weight", stored ? TensorType.I2_S : TensorType.F32, [columns, rows], stream => stream.Write(bytes));
        }
        void Norm(string name, int length)
        {
            var values = Enumerable.Range(0, length).Select(_ => 0.5f + random.NextSingle()).ToArray();
            writer.AddTensor($"{name}.weight", TensorType.F32, [length], stream => stream.Write(MemoryMarshal.AsBytes(values.AsSpan())));
        }
        Matrix("token_embd", Vocabulary, Width, ternaryEmbedding);
        Norm("output_norm", Width);
        for (var layer = 0; layer < 2; layer++)
        {
            var block = $"blk.{layer}";
            Norm($"{block}.attn_norm", Width);
            Matrix($"{block}.attn_q", Width, Width, ternary);
            Matrix($"{block}.attn_k", Width / 2, Width, ternary);
            Matrix($"{block}.attn_v", Width / 2, Width, ternary);
            Norm($"{block}.attn_sub_norm", Width);
            Matrix($"{block}.attn_output", Width, Width, ternary);
            Norm($"{block}.ffn_norm", Width);
            Matrix($"{block}.ffn_gate", Hidden, Width, ternary);
            Matrix($"{block}.ffn_up", Hidden, Width, ternary);
            Norm($"{block}.ffn_sub_norm", Hidden);
            Matrix($"{block}.ffn_down", Width, Hidden, ternary);
        }
        var path = Path.Combine(Path.GetTempPath(), $"hearth-{Guid.NewGuid():N}.gguf");
        _files.Add(path);
        writer.Write(path, TestContext.Current.CancellationToken);
        return path;
    }

    // Of 128 values, byte j holds those at j, 32 + j, 64 + j and 96 + j, the first in its highest bits.
    private static byte[] Pack(byte[] codes)
    {
        var bytes = new byte[codes.Length / 4];
        for (var i = 0; i < codes.Length; i++)
            bytes[(i / 128 * 32) + (i % 32)] |= (byte)(codes[i] << (6 - (i % 128 / 32 * 2)));
        return bytes;
    }
}
