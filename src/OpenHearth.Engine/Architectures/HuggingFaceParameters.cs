using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Safetensors;

namespace OpenHearth.Engine.Architectures;

/// <summary>Hyper-parameters out of <c>config.json</c>.</summary>
internal sealed class HuggingFaceParameters(HuggingFaceConfig config) : HyperParameters
{
    /// <summary>The file, for what only one family has.</summary>
    public HuggingFaceConfig Config => config;

    public override string Path => config.Path;

    public override bool IsGguf => false;

    public override RopeParameters? Rope(string? layerType) => config.Rope(layerType);

    /// <summary>The keys in which <c>config.json</c> says what <see cref="Rope"/> reads, for the declaration of a GGUF file.</summary>
    public static IEnumerable<(string Key, object Value)> Keys(RopeParameters rope)
    {
        yield return ("rope_theta", rope.Theta);
        if (rope is not { Type: "linear" or "yarn", Factor: { } factor })
            yield break;
        yield return ("rope_scaling.rope_type", rope.Type);
        yield return ("rope_scaling.factor", factor);
        if (rope.Type == "linear")
            yield break;
        if (rope.OriginalMaxPositions is { } original)
            yield return ("rope_scaling.original_max_position_embeddings", original);
        if (rope.BetaFast is { } fast)
            yield return ("rope_scaling.beta_fast", fast);
        if (rope.BetaSlow is { } slow)
            yield return ("rope_scaling.beta_slow", slow);
        if (rope.Mscale is { } magnitude)
            yield return ("rope_scaling.mscale", magnitude);
        if (rope.MscaleAllDimensions is { } all)
            yield return ("rope_scaling.mscale_all_dim", all);
        if (rope.AttentionFactor is { } attention)
            yield return ("rope_scaling.attention_factor", attention * RopeScaling.YarnMagnitude(factor));
    }

    // Some configs have a number that Python takes for true, such as 4 for Llama 4's attn_temperature_tuning.
    public override bool? FindBool(string gguf, string huggingFace) => Find(huggingFace) is not var (section, key) ? null
        : section.IsNumber(key) ? section.FindNumber(key) != 0
        : section.FindBoolean(key);

    public override string? FindText(string gguf, string huggingFace) => Find(huggingFace) is var (section, key) ? section.FindString(key) : null;

    public override string[]? FindTexts(string gguf, string huggingFace) => Find(huggingFace) is var (section, key) ? section.FindStrings(key) : null;

    public override double? FindNumber(string gguf, string huggingFace) =>
        Find(huggingFace) is var (section, key) && !section.IsList(key) ? section.FindNumber(key) : null;

    public override double[]? FindNumbers(string gguf, string huggingFace)
    {
        if (Find(huggingFace) is not var (section, key) || !section.IsList(key))
            return null;
        return section.IsListOfBooleans(key) ? Array.ConvertAll(section.FindBooleans(key)!, b => b ? 1.0 : 0.0) : section.FindNumbers(key);
    }

    protected override string Name(string gguf, string huggingFace) => ModelFormatException.Quote(huggingFace);

    // "a|b.c": a, or c inside b.
    private (ConfigSection Section, string Key)? Find(string keys)
    {
        foreach (var alternative in keys.Split('|', StringSplitOptions.RemoveEmptyEntries))
        {
            ConfigSection? section = config;
            var parts = alternative.Split('.');
            for (var i = 0; i < parts.Length - 1 && section is not null; i++)
                section = section.FindSection(parts[i]);
            if (section is not null && section.Has(parts[^1]))
                return (section, parts[^1]);
        }
        return null;
    }
}
