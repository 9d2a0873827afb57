using System.Runtime.InteropServices;
using OpenHearth.Engine.Files.Safetensors;
using OpenHearth.Engine.Tests.Files;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Engine.Tests.Architectures;

public sealed class Gemma4Tests() : ArchitectureTests("gemma4/safetensors")
{
    private const int Vocabulary = 32;
    private static readonly int[] Ids = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8];

    /// <summary>
    /// Layers 0 and 1 (with a window, without one) add nothing, so that layers 2 and 3 read the same as they do: then keys of their own by the
    /// same matrices are the keys that they share.
    /// </summary>
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void SharedKeysAndValues_AreThoseOfTheLastLayerOfTheSameKind(int layerThatAdds)
    {
        var shared = Logits(layerThatAdds, 2, layer => layer % 2);
        Assert.True(LogitComparison.Error(Logits(layerThatAdds, 0, layer => layer % 2), shared) <= 1e-6);
        Assert.True(LogitComparison.Error(Logits(layerThatAdds, 0, layer => layer), shared) > 1e-2);
        Assert.True(LogitComparison.Error(Logits(layerThatAdds, 2, layer => layer % 2, step: 5), shared) <= 1e-5);
    }

    private static float[] Logits(int layerThatAdds, int sharing, Func<int, int> keysOf, int step = 12)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["config.json"], $$"""
            {
              "model_type": "gemma4_text", "hidden_size": 16, "num_hidden_layers": 4, "num_attention_heads": 2, "head_dim": 8,
              "layer_types": ["sliding_attention", "full_attention", "sliding_attention", "full_attention"], "sliding_window": 4,
              "num_kv_shared_layers": {{sharing}}, "rms_norm_eps": 1e-6, "max_position_embeddings": 64, "vocab_size": {{Vocabulary}}
            }
            """);
        var writer = new SafetensorsWriter();
        Matrix(writer, "embed_tokens", 100, Vocabulary, 16);
        Vector(writer, "norm", 101, 16);
        for (var layer = 0; layer < 4; layer++)
        {
            var headWidth = layer % 2 == 0 ? 8 : 16;
            var block = $"layers.{layer}";
            Vector(writer, $"{block}.input_layernorm", 1 + (layer % 2), 16);
            Matrix(writer, $"{block}.self_attn.q_proj", 10 + layer, 2 * headWidth, 16);
            Vector(writer, $"{block}.self_attn.q_norm", 20 + layer, headWidth);
            if (layer < 4 - sharing)
            {
                Matrix(writer, $"{block}.self_attn.k_proj", 30 + keysOf(layer), headWidth, 16);
                Matrix(writer, $"{block}.self_attn.v_proj", 40 + keysOf(layer), headWidth, 16);
                Vector(writer, $"{block}.self_attn.k_norm", 50 + keysOf(layer), headWidth);
            }
            Matrix(writer, $"{block}.self_attn.o_proj", 60 + layer, 16, 2 * headWidth);
            Vector(writer, $"{block}.post_attention_layernorm", layer == layerThatAdds ? 70 : 0, 16);
            Vector(writer, $"{block}.pre_feedforward_layernorm", 80 + layer, 16);
            Matrix(writer, $"{block}.mlp.gate_proj", 90 + layer, 24, 16);
            Matrix(writer, $"{block}.mlp.up_proj", 94 + layer, 24, 16);
            Matrix(writer, $"{block}.mlp.down_proj", 98 + layer, 16, 24);
            Vector(writer, $"{block}.post_feedforward_layernorm", 0, 16);
        }
        writer.Write(folder["model.safetensors"], TestContext.Current.CancellationToken);
        using var model = Model.Load(folder.ToString(), new ModelOptions { Exact = true, Threads = 1 });
        Assert.Empty(model.UnusedTensors);
        using var session = model.CreateSession();
        var logits = new float[Ids.Length * Vocabulary];
        for (var i = 0; i < Ids.Length; i += step)
        {
            var count = Math.Min(step, Ids.Length - i);
            session.Step(Ids.AsSpan(i, count), logits.AsSpan(i * Vocabulary, count * Vocabulary));
        }
        return logits;
    }

    private static void Matrix(SafetensorsWriter writer, string name, int seed, int rows, int columns) => Add(writer, name, seed, [rows, columns]);

    private static void Vector(SafetensorsWriter writer, string name, int seed, int length) => Add(writer, name, seed, [length]);

    // Seed 0 stands for zeros.
    private static void Add(SafetensorsWriter writer, string name, int seed, long[] shape)
    {
        var random = new Random(seed);
        var values = new float[shape.Aggregate(1L, (a, b) => a * b)];
        foreach (ref var value in values.AsSpan())
            value = seed == 0 ? 0 : (float)((2 * random.NextDouble()) - 1);
        writer.AddTensor($"model.{name}.weight", TensorType.F32, shape, stream => stream.Write(MemoryMarshal.AsBytes(values.AsSpan())));
    }
}
