using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Engine.Tests.Files;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Engine.Tests.Architectures;

public sealed class DeepSeekTests() : ArchitectureTests(
    "deepseek2-lite/safetensors",
    "deepseek3/gguf", "deepseek3/safetensors",
    "deepseek3-yarn/gguf", "deepseek3-yarn/safetensors",
    "glm4-moe-lite/safetensors")
{
    private static readonly ModelOptions Exact = new() { Exact = true, Threads = 1 };

    // What the fixture is made of.
    private const int Heads = 4;
    private const int Latent = 32;
    private const int Plain = 16;
    private const int Turning = 8;
    private const int ValueWidth = 16;
    private const int Layers = 3;

    [Fact]
    public void Logits_OfAGgufWithKeysAndValuesInOneMatrix_AreTheReference()
    {
        var fixture = new ArchitectureFixture("deepseek3-yarn");
        using var folder = new TemporaryFolder();
        WriteOlderForm(fixture.Form("gguf"), folder["older.gguf"]);
        using var model = Model.Load(folder["older.gguf"], Exact);
        using var session = model.CreateSession();
        var logits = new float[fixture.Expected.Length];
        session.Step(fixture.Ids, logits);
        Assert.True(fixture.Error(logits) <= 1e-4, $"error {fixture.Error(logits):E1} of the standard deviation");
        Assert.Empty(model.UnusedTensors);
    }

    [Fact]
    public void Cache_OfLatentAttention_HoldsTheLatentVectorAndTheTurningPart()
    {
        using var model = Model.Load(new ArchitectureFixture("deepseek3").Form("gguf"), Exact);
        Assert.Equal(64 * Layers * (Latent + Turning) * sizeof(float), model.Blocks.Layout.BlockBytesFor(1));
    }

    // As converters wrote it before 2025: kv_b whole, and the sizes of the heads under the usual keys.
    internal static void WriteOlderForm(string from, string to)
    {
        using var file = GgufFile.Open(from);
        var writer = new GgufWriter();
        foreach (var key in file.Metadata.Keys.Where(key => !key.EndsWith("_mla", StringComparison.Ordinal)))
        {
            Assert.True(file.Metadata.TryGet(key, out var value));
            writer.Add(key, key switch
            {
                "deepseek2.attention.key_length" => (uint)(Plain + Turning),
                "deepseek2.attention.value_length" => (uint)ValueWidth,
                "deepseek2.attention.head_count_kv" => (uint)Heads,
                _ => value,
            });
        }
        foreach (var tensor in file.Tensors.Where(tensor => !tensor.Name.EndsWith("_b.weight", StringComparison.Ordinal) || tensor.Name.EndsWith("q_b.weight", StringComparison.Ordinal)))
            writer.AddTensor(tensor.Name, tensor.Type, [.. tensor.Dimensions], tensor.Data);
        for (var layer = 0; layer < Layers; layer++)
        {
            var bytes = Join(file.GetTensor($"blk.{layer}.attn_k_b.weight", Plain, Latent, Heads), file.GetTensor($"blk.{layer}.attn_v_b.weight", Latent, ValueWidth, Heads));
            writer.AddTensor($"blk.{layer}.attn_kv_b.weight", TensorType.BF16, [Latent, Heads * (Plain + ValueWidth)], stream => stream.Write(bytes));
        }
        writer.Write(to);
    }

    // [heads, latent, plain] and [heads, value, latent] to [heads, plain + value, latent]
    private static byte[] Join(GgufTensor keys, GgufTensor values)
    {
        var result = new byte[2 * Heads * (Plain + ValueWidth) * Latent];
        var next = 0;
        for (var head = 0; head < Heads; head++)
        {
            for (var r = 0; r < Plain; r++)
            {
                for (var c = 0; c < Latent; c++, next += 2)
                    keys.Data.Span(2 * ((((head * Latent) + c) * Plain) + r), 2).CopyTo(result.AsSpan(next));
            }
            values.Data.Span(2 * head * ValueWidth * Latent, 2 * ValueWidth * Latent).CopyTo(result.AsSpan(next));
            next += 2 * ValueWidth * Latent;
        }
        return result;
    }
}
