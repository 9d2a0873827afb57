using System.Text.Json;
using OpenHearth.Engine.Files.Safetensors;
using OpenHearth.Engine.Tests.Files;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.Tests;

/// <summary>A Llama of one layer with random weights in the Hugging Face form, in a folder of the test's.</summary>
internal sealed class TinySafetensors : IDisposable
{
    private const int Width = 32;
    private readonly Random _random = new(5);
    private readonly SafetensorsWriter _writer = new();
    private readonly List<NativeBuffer<float>> _buffers = [];

    public TinySafetensors(TemporaryFolder folder, int rows, params (string Key, object Value)[] more)
    {
        var config = new Dictionary<string, object>
        {
            ["model_type"] = "llama",
            ["num_hidden_layers"] = 1,
            ["hidden_size"] = Width,
            ["intermediate_size"] = Width,
            ["num_attention_heads"] = 4,
            ["num_key_value_heads"] = 2,
            ["rms_norm_eps"] = 1e-5,
            ["max_position_embeddings"] = 64,
            ["vocab_size"] = rows,
        };
        foreach (var (key, value) in more)
            config[key] = value;
        File.WriteAllText(folder["config.json"], JsonSerializer.Serialize(config));
        Add("model.embed_tokens", rows, Width);
        Add("model.norm", Width);
        const string Layer = "model.layers.0";
        Add($"{Layer}.input_layernorm", Width);
        Add($"{Layer}.post_attention_layernorm", Width);
        Add($"{Layer}.self_attn.q_proj", Width, Width);
        Add($"{Layer}.self_attn.k_proj", Width / 2, Width);
        Add($"{Layer}.self_attn.v_proj", Width / 2, Width);
        Add($"{Layer}.self_attn.o_proj", Width, Width);
        foreach (var name in (string[])["gate", "up", "down"])
            Add($"{Layer}.mlp.{name}_proj", Width, Width);
        _writer.Write(folder["model.safetensors"], default);
    }

    public void Dispose() => _buffers.ForEach(buffer => buffer.Dispose());

    private void Add(string name, params long[] shape)
    {
        var buffer = new NativeBuffer<float>(shape.Aggregate(1L, (a, b) => a * b));
        _buffers.Add(buffer);
        foreach (ref var value in buffer.Span)
            value = shape.Length == 1 ? 1 : _random.NextSingle() - 0.5f;
        _writer.AddTensor($"{name}.weight", TensorType.F32, shape, MemoryRegion.Of(buffer));
    }
}
