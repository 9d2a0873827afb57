using OpenHearth.Engine.Ops;
using OpenHearth.Kernels.Attention;

namespace OpenHearth.Engine.Architectures;

/// <summary>The hyper-parameters that nearly all decoders have, under the names that most use. All are checked.</summary>
internal sealed class DecoderParameters
{
    private const string FeedForward = "intermediate_size";
    private readonly HyperParameters _p;

    /// <summary>Reads them.</summary>
    /// <exception cref="Files.ModelFormatException">One is missing or makes no sense.</exception>
    public DecoderParameters(HyperParameters p)
    {
        _p = p;
        _ = p.FindInt("feed_forward_length", FeedForward); // GGUF files have it even where all layers have experts
        Layers = p.Layers();
        Width = p.Int("embedding_length", "hidden_size");
        Heads = p.Int("attention.head_count", "num_attention_heads");
        KeyHeads = p.Int("attention.head_count_kv", "num_key_value_heads", Heads, 1);
        HeadWidth = p.Int("attention.key_length", "head_dim", Width / Heads, 1);
        RotaryWidth = p.Int("rope.dimension_count", "rotary_dim", (int)(HeadWidth * (p.Rope()?.PartialRotaryFactor ?? 1)), 2);
        if (RotaryWidth > HeadWidth)
            throw p.Wrong("rope.dimension_count", "rotary_dim|partial_rotary_factor", $"{RotaryWidth} of {HeadWidth} values");
    }

    /// <summary>Layers.</summary>
    public int Layers { get; }

    /// <summary>Values a token between layers.</summary>
    public int Width { get; }

    /// <summary>Values between the matrices of a feed-forward block.</summary>
    public int Hidden => _p.Int("feed_forward_length", FeedForward);

    /// <summary>Query heads.</summary>
    public int Heads { get; }

    /// <summary>Key and value heads.</summary>
    public int KeyHeads { get; }

    /// <summary>Values a head.</summary>
    public int HeadWidth { get; }

    /// <summary>Values of a head that positions turn.</summary>
    public int RotaryWidth { get; }

    /// <summary>What RMS norms add to the mean square.</summary>
    public float Epsilon => _p.Float("attention.layer_norm_rms_epsilon", "rms_norm_eps");

    /// <summary>Attention to all that came before, scores divided by the root of the head's width.</summary>
    public AttentionShape Attention => new()
    {
        Heads = Heads,
        KeyHeads = KeyHeads,
        KeyWidth = HeadWidth,
        ValueWidth = HeadWidth,
        Scale = 1 / MathF.Sqrt(HeadWidth),
    };

    /// <summary>The window of attention, 0 for none.</summary>
    public int Window => _p.Int("attention.sliding_window", "sliding_window", 0, 0);

    /// <summary>Which layers have the window, if there is one: what the model says, otherwise all but each <paramref name="every"/>-th.</summary>
    public bool[] WindowedLayers(int every)
    {
        if (Window == 0)
            return new bool[Layers];
        if (_p.FindTexts("", "layer_types") is { } types)
            return Listed([.. types.Select(type => type == "sliding_attention")]);
        if (_p.FindNumbers("attention.sliding_window_pattern", "") is { } flags)
            return Listed([.. flags.Select(flag => flag != 0)]);
        every = _p.Int("attention.sliding_window_pattern", "sliding_window_pattern", every, 1);
        return [.. Enumerable.Range(1, Layers).Select(n => n % every != 0)];
    }

    /// <summary>Rotary positions with the model's base but none of its scaling: those of layers with a window where the others are scaled.</summary>
    /// <param name="theta">The base where the model doesn't say.</param>
    public RopeFrequencies WindowRope(double? theta = null) => WindowRope(RotaryWidth, theta);

    /// <summary>The same for heads of which <paramref name="dimensions"/> values turn.</summary>
    public RopeFrequencies WindowRope(int dimensions, double? theta)
    {
        var given = _p.FindNumber("rope.freq_base_swa", "rope_parameters.sliding_attention.rope_theta|rope_local_base_freq");
        var chosen = given ?? theta ?? _p.Rope("sliding_attention")?.Theta ?? 10000;
        _p.Note("rope.freq_base_swa", "rope_local_base_freq", (float)chosen);
        return RopeScaling.Frequencies(RopeScaling.Default(chosen), _p, dimensions);
    }

    private bool[] Listed(bool[] layers) => layers.Length >= Layers
        ? layers
        : throw _p.Wrong("attention.sliding_window_pattern", "layer_types", $"a list of {layers.Length} entries for {Layers} layers");
}
