using OpenHearth.Engine.Architectures;

namespace OpenHearth.Engine.Files.Safetensors;

/// <summary>
/// Rotary position embedding as a config declares it, whichever version of transformers wrote it: <c>rope_theta</c>
/// with <c>rope_scaling</c> (4), or <c>rope_parameters</c>, one for all layers or one a layer type (5). Null where the
/// file doesn't say and no default is common to all families.
/// </summary>
public sealed record RopeParameters
{
    /// <summary><c>default</c>, <c>linear</c>, <c>ntk</c>, <c>dynamic</c>, <c>yarn</c>, <c>longrope</c>, <c>llama3</c> or another family's own.</summary>
    public required string Type { get; init; }

    /// <summary>The base of the frequencies; 10,000 where the file doesn't say.</summary>
    public required double Theta { get; init; }

    /// <summary>How many times longer than in pre-training texts may be.</summary>
    public double? Factor { get; init; }

    /// <summary>dynamic in Hunyuan's form: the factor of an NTK-aware base that does not change with the length.</summary>
    public double? Alpha { get; init; }

    /// <summary>llama3: below this many turns over the original length, a frequency is divided by the factor.</summary>
    public double? LowFrequencyFactor { get; init; }

    /// <summary>llama3: above this many turns, a frequency stays.</summary>
    public double? HighFrequencyFactor { get; init; }

    /// <summary>Tokens in pre-training: what the section says, else what the config says, else its <c>max_position_embeddings</c>.</summary>
    public long? OriginalMaxPositions { get; init; }

    /// <summary>YaRN: turns above which a frequency stays (commonly 32).</summary>
    public double? BetaFast { get; init; }

    /// <summary>YaRN: turns below which a frequency is divided (commonly 1).</summary>
    public double? BetaSlow { get; init; }

    /// <summary>YaRN in DeepSeek's form: scale of attention.</summary>
    public double? Mscale { get; init; }

    /// <summary>YaRN in DeepSeek's form: scale over all dimensions.</summary>
    public double? MscaleAllDimensions { get; init; }

    /// <summary>What queries and keys are multiplied by, where it is given.</summary>
    public double? AttentionFactor { get; init; }

    /// <summary>YaRN: whether the borders of the ramp are rounded to whole dimensions.</summary>
    public bool Truncate { get; init; } = true;

    /// <summary>LongRoPE: divisors of the frequencies beyond the original length. [rotary dimensions / 2]</summary>
    public IReadOnlyList<double>? LongFactor { get; init; }

    /// <summary>LongRoPE: divisors of the frequencies within the original length. [rotary dimensions / 2]</summary>
    public IReadOnlyList<double>? ShortFactor { get; init; }

    /// <summary>The share of a head's dimensions that turn, where it is given.</summary>
    public double? PartialRotaryFactor { get; init; }

    internal static RopeParameters? Read(HuggingFaceConfig config, string? layerType)
    {
        if (Section(config, layerType) is { } section)
            return Read(config, section, Positive(section, "rope_theta") ?? FindTheta(config, layerType));
        return FindTheta(config, layerType) is { } theta ? Read(config, null, theta) : null;
    }

    // The object that has the scaling, if any. Where sliding layers have a base of their own beside "rope_scaling"
    // (Gemma 3, ModernBERT in the style of transformers 4), the scaling isn't theirs.
    private static ConfigSection? Section(HuggingFaceConfig config, string? layerType)
    {
        if (config.FindSection("rope_parameters") is not { } parameters)
            return layerType == "sliding_attention" && LocalTheta(config) is not null ? null : config.FindSection("rope_scaling");
        if (layerType is not null && parameters.HasSection(layerType))
            return parameters.FindSection(layerType);
        if (parameters.HasSection("full_attention"))
            return parameters.FindSection("full_attention");
        return parameters;
    }

    private static double? FindTheta(HuggingFaceConfig config, string? layerType) =>
        (layerType == "sliding_attention" ? LocalTheta(config) : null)
        ?? Positive(config, "rope_theta")
        ?? Positive(config, "global_rope_theta")
        ?? Positive(config, "rotary_emb_base");

    private static double? LocalTheta(HuggingFaceConfig config) =>
        Positive(config, "rope_local_base_freq") ?? Positive(config, "local_rope_theta");

    private static RopeParameters Read(HuggingFaceConfig config, ConfigSection? section, double? theta)
    {
        var type = section?.FindString("rope_type") ?? section?.FindString("type") ?? "default";
        var positions = Positions(config, "max_position_embeddings");
        var given = (section is null ? null : Positions(section, "original_max_position_embeddings")) ?? Positions(config, "original_max_position_embeddings");
        return new RopeParameters
        {
            // Older names of the same: "su" was LongRoPE, "mrope" turns text as the default does.
            Type = type switch { "su" => "longrope", "mrope" => "default", _ => type },
            Theta = theta ?? 10000,
            Factor = (section is null ? null : Positive(section, "factor")) ?? (type is "longrope" or "su" ? positions / given : null),
            Alpha = section is null ? null : Positive(section, "alpha"),
            LowFrequencyFactor = section?.FindNumber("low_freq_factor"),
            HighFrequencyFactor = section?.FindNumber("high_freq_factor"),
            OriginalMaxPositions = (long?)(given ?? positions),
            BetaFast = section?.FindNumber("beta_fast"),
            BetaSlow = section?.FindNumber("beta_slow"),
            Mscale = section?.FindNumber("mscale"),
            MscaleAllDimensions = section?.FindNumber("mscale_all_dim"),
            AttentionFactor = section?.FindNumber("attention_factor"),
            Truncate = section?.FindBoolean("truncate") ?? true,
            LongFactor = section?.FindNumbers("long_factor"),
            ShortFactor = section?.FindNumbers("short_factor"),
            PartialRotaryFactor = section?.FindNumber("partial_rotary_factor")
                ?? config.FindNumber("partial_rotary_factor") ?? config.FindNumber("rotary_pct") ?? config.FindNumber("rope_pct"),
        };
    }

    private static double? Positions(ConfigSection section, string key) => Positive(section, key) is not > HyperParameters.Largest
        ? Positive(section, key)
        : throw section.Unusable(key, $"expected at most {HyperParameters.Largest} positions, found {Positive(section, key)}");

    private static double? Positive(ConfigSection section, string key) => section.FindNumber(key) is not { } number || (number > 0 && double.IsFinite(number))
        ? section.FindNumber(key)
        : throw section.Unusable(key, $"expected a number above 0, found {number}");
}
