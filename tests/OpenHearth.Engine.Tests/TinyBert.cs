using System.Runtime.InteropServices;
using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Engine.Tests;

/// <summary>A BERT of two layers with random weights, as a GGUF file without tokenizer.</summary>
internal sealed class TinyBert : IDisposable
{
    public const int Vocabulary = 61;
    public const int Context = 40;
    public const int Width = 24;
    private const int Hidden = 36;
    private const int Heads = 3;

    private readonly Random _random = new(11);
    private readonly GgufWriter _writer = new();

    /// <param name="pooling">llama.cpp's number of a pooling, or null to leave it out.</param>
    /// <param name="heads">What the file says of its attention heads.</param>
    public TinyBert(uint? pooling = null, uint heads = Heads)
    {
        Path = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"hearth-{Guid.NewGuid():N}.gguf");
        _writer.Add("general.architecture", "bert");
        _writer.Add("general.name", "tiny");
        foreach (var (key, value) in new (string, uint)[]
        {
            ("block_count", 2), ("context_length", Context), ("embedding_length", Width), ("feed_forward_length", Hidden), ("attention.head_count", heads),
        })
            _writer.Add($"bert.{key}", value);
        if (pooling is { } kind)
            _writer.Add("bert.pooling_type", kind);
        _writer.Add("bert.attention.layer_norm_epsilon", 1e-5f);
        _writer.Add("tokenizer.ggml.model", "no_vocab");
        Add("token_embd.weight", Width, Vocabulary);
        Add("position_embd.weight", Width, Context);
        Norm("token_embd_norm");
        for (var layer = 0; layer < 2; layer++)
        {
            foreach (var name in (string[])["attn_q", "attn_k", "attn_v", "attn_output"])
                Add($"blk.{layer}.{name}.weight", Width, Width);
            Norm($"blk.{layer}.attn_output_norm");
            Add($"blk.{layer}.ffn_up.weight", Width, Hidden);
            Add($"blk.{layer}.ffn_down.weight", Hidden, Width);
            Norm($"blk.{layer}.layer_output_norm");
        }
        _writer.Write(Path, default);
    }

    public string Path { get; }

    public void Dispose() => File.Delete(Path);

    private void Norm(string name)
    {
        Add($"{name}.weight", Width);
        Add($"{name}.bias", Width);
    }

    private void Add(string name, params long[] dimensions)
    {
        var values = new float[dimensions.Aggregate(1L, (a, b) => a * b)];
        for (var i = 0; i < values.Length; i++)
            values[i] = (dimensions.Length == 1 ? 0.7f : 0f) + _random.NextSingle() - 0.5f;
        _writer.AddTensor(name, TensorType.F32, dimensions, stream => stream.Write(MemoryMarshal.AsBytes(values.AsSpan())));
    }
}
