using System.Runtime.InteropServices;
using OpenHearth.Engine.Conversion;
using OpenHearth.Engine.Files.Safetensors;
using OpenHearth.Engine.Tests.Files;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Engine.Tests.Weights.Quantized;

/// <summary>One tensor of a checkpoint.</summary>
internal sealed record Part(string Ending, TensorType Type, long[] Shape, byte[] Bytes)
{
    public static Part Of<T>(string ending, TensorType type, long[] shape, params T[] values) where T : unmanaged =>
        new(ending, type, shape, MemoryMarshal.AsBytes(values.AsSpan()).ToArray());
}

/// <summary>
/// A Llama of one layer and one head whose matrices of [outputs, inputs] (q, k, v, gate, up) are given, quantized or plain, and
/// whose other weights are random. Its logits are those of six tokens.
/// </summary>
internal static class SmallCheckpoint
{
    private const int Vocabulary = 40;

    public static float[] Logits(int outputs, int inputs, string quantization, ModelOptions? options, params Part[] parts)
    {
        using var folder = Write(outputs, inputs, quantization, parts);
        var logits = Logits(folder.ToString(), options ?? new ModelOptions { Exact = true });
        if (options is not null)
            return logits;
        // As a GGUF file it is the same model; its rows of queries and keys are in another order.
        ModelConversion.Convert(folder.ToString(), folder["model.gguf"], ConversionType.Find("f32")!, cancellation: TestContext.Current.CancellationToken);
        Assert.InRange(LogitComparison.Error(logits, Logits(folder["model.gguf"], new ModelOptions { Exact = true })), 0, 1e-5);
        return logits;
    }

    private static float[] Logits(string path, ModelOptions options)
    {
        using var model = Model.Load(path, options);
        Assert.Empty(model.UnusedTensors);
        using var session = model.CreateSession(16);
        return [.. session.Step([3, 1, 4, 1, 5, 9]).ToArray()];
    }

    public static float[] PlainLogits(int outputs, int inputs, float[] weights) =>
        Logits(outputs, inputs, "null", null, Part.Of(".weight", TensorType.F32, [outputs, inputs], weights));

    public static TemporaryFolder Write(int outputs, int inputs, string quantization, params Part[] parts)
    {
        var folder = new TemporaryFolder();
        File.WriteAllText(folder["config.json"], $$"""
            {"model_type":"llama","architectures":["LlamaForCausalLM"],"hidden_size":{{inputs}},"intermediate_size":{{outputs}},"num_hidden_layers":1,
             "num_attention_heads":1,"num_key_value_heads":1,"head_dim":{{outputs}},"rms_norm_eps":1e-5,"vocab_size":{{Vocabulary}},"max_position_embeddings":64,
             "hidden_act":"silu","rope_theta":10000.0,"tie_word_embeddings":false,"quantization_config":{{quantization}}}
            """);
        var random = new Random(11);
        var writer = new SafetensorsWriter();
        void Plain(string name, params long[] shape)
        {
            var values = new float[shape.Aggregate(1L, (a, b) => a * b)];
            for (var i = 0; i < values.Length; i++)
                values[i] = shape.Length == 1 ? 1 : random.NextSingle() - 0.5f;
            writer.AddTensor(name, TensorType.F32, shape, stream => stream.Write(MemoryMarshal.AsBytes(values.AsSpan())));
        }
        Plain("model.embed_tokens.weight", Vocabulary, inputs);
        Plain("model.norm.weight", inputs);
        Plain("lm_head.weight", Vocabulary, inputs);
        Plain("model.layers.0.input_layernorm.weight", inputs);
        Plain("model.layers.0.post_attention_layernorm.weight", inputs);
        Plain("model.layers.0.self_attn.o_proj.weight", inputs, outputs);
        Plain("model.layers.0.mlp.down_proj.weight", inputs, outputs);
        foreach (var module in (string[])["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "mlp.gate_proj", "mlp.up_proj"])
        {
            foreach (var part in parts)
                writer.AddTensor($"model.layers.0.{module}{part.Ending}", part.Type, part.Shape, stream => stream.Write(part.Bytes));
        }
        writer.Write(folder["model.safetensors"]);
        return folder;
    }
}
