using System.Runtime.InteropServices;
using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Engine.Tests;

/// <summary>A Llama of two layers with random weights, as a GGUF file without tokenizer.</summary>
internal sealed class TinyLlama : IDisposable
{
    public const int Vocabulary = 61;
    public const int Context = 256;
    private const int Width = 24;
    private const int Hidden = 40;
    private const int Heads = 6;
    private const int KeyHeads = 2;
    private const int HeadWidth = 4;

    private readonly Random _random;
    private readonly GgufWriter _writer = new();

    public TinyLlama(string architecture = "llama", int keyHeads = KeyHeads, int context = Context, int window = 0, Action<GgufWriter>? also = null, int seed = 7)
    {
        _random = new Random(seed);
        Path = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"hearth-{Guid.NewGuid():N}.gguf");
        _writer.Add("general.architecture", architecture);
        _writer.Add("general.name", "tiny");
        foreach (var (key, value) in new (string, uint)[]
        {
            ("block_count", 2), ("context_length", (uint)context), ("embedding_length", Width), ("feed_forward_length", Hidden),
            ("attention.head_count", Heads), ("attention.head_count_kv", (uint)keyHeads), ("attention.key_length", HeadWidth), ("attention.sliding_window", (uint)window),
        })
            _writer.Add($"llama.{key}", value);
        _writer.Add("llama.attention.layer_norm_rms_epsilon", 1e-5f);
        _writer.Add("tokenizer.ggml.model", "no_vocab");
        Add("token_embd", Width, Vocabulary);
        Add("output_norm", Width);
        Add("output", Width, Vocabulary);
        for (var layer = 0; layer < 2; layer++)
        {
            Add($"blk.{layer}.attn_norm", Width);
            Add($"blk.{layer}.attn_q", Width, Heads * HeadWidth);
            Add($"blk.{layer}.attn_k", Width, KeyHeads * HeadWidth);
            Add($"blk.{layer}.attn_v", Width, KeyHeads * HeadWidth);
            Add($"blk.{layer}.attn_output", Heads * HeadWidth, Width);
            Add($"blk.{layer}.ffn_norm", Width);
            Add($"blk.{layer}.ffn_gate", Width, Hidden);
            Add($"blk.{layer}.ffn_up", Width, Hidden);
            Add($"blk.{layer}.ffn_down", Hidden, Width);
        }
        also?.Invoke(_writer);
        _writer.Write(Path, default);
    }

    public string Path { get; }

    public void Dispose() => File.Delete(Path);

    private void Add(string name, params long[] dimensions)
    {
        var values = new float[dimensions.Aggregate(1L, (a, b) => a * b)];
        for (var i = 0; i < values.Length; i++)
            values[i] = dimensions.Length == 1 ? 1 + (0.2f * (_random.NextSingle() - 0.5f)) : _random.NextSingle() - 0.5f;
        _writer.AddTensor($"{name}.weight", TensorType.F32, dimensions, stream => stream.Write(MemoryMarshal.AsBytes(values.AsSpan())));
    }
}
