using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Engine.Files.Safetensors;

namespace OpenHearth.Engine.Architectures;

/// <summary>Hyper-parameters out of GGUF metadata.</summary>
internal sealed class GgufParameters(GgufMetadata metadata, string path, string architecture) : HyperParameters
{
    public override string Path => path;

    public override bool IsGguf => true;

    public override RopeParameters? Rope(string? layerType)
    {
        var theta = FindNumber("rope.freq_base", "");
        if (layerType == "sliding_attention")
            theta = FindNumber("rope.freq_base_swa", "") ?? theta;
        // DeepSeek's two factors are the same in all its models, so the converter keeps one, as 0.1 of it.
        var magnitude = FindNumber("rope.scaling.yarn_log_multiplier", "") * 10;
        var factor = FindNumber("rope.scaling.factor", "") ?? FindNumber("rope.scale_linear", "");
        return new RopeParameters
        {
            // Files from before there were types have a factor alone.
            Type = FindText("rope.scaling.type", "") switch { null => factor is > 0 ? "linear" : "default", "none" => "default", var type => type },
            Theta = theta ?? 10000,
            Factor = factor,
            OriginalMaxPositions = FindInt("rope.scaling.original_context_length", "") ?? FindInt("context_length", ""),
            BetaFast = FindNumber("rope.scaling.yarn_beta_fast", ""),
            BetaSlow = FindNumber("rope.scaling.yarn_beta_slow", ""),
            Mscale = magnitude,
            MscaleAllDimensions = magnitude,
            AttentionFactor = FindNumber("rope.scaling.attn_factor", ""),
        };
    }

    /// <summary>The keys in which a GGUF file says what <see cref="Rope"/> reads, for another form's declaration.</summary>
    /// <param name="rope">The declaration; <c>llama3</c> and <c>longrope</c> are said in tensors, which <see cref="RopeScaling"/> knows.</param>
    public static IEnumerable<(string Key, object Value)> Keys(RopeParameters rope)
    {
        yield return ("rope.freq_base", (float)rope.Theta);
        if (rope.Type == "longrope" && rope.OriginalMaxPositions is { } before)
            yield return ("rope.scaling.original_context_length", checked((uint)before));
        if (rope is not { Type: "linear" or "yarn", Factor: { } factor })
            yield break;
        yield return ("rope.scaling.type", rope.Type);
        yield return ("rope.scaling.factor", (float)factor);
        if (rope.Type == "linear")
            yield break;
        if (rope.OriginalMaxPositions is { } original)
            yield return ("rope.scaling.original_context_length", checked((uint)original));
        if (rope.BetaFast is { } fast)
            yield return ("rope.scaling.yarn_beta_fast", (float)fast);
        if (rope.BetaSlow is { } slow)
            yield return ("rope.scaling.yarn_beta_slow", (float)slow);
        if (rope.MscaleAllDimensions is { } magnitude)
            yield return ("rope.scaling.yarn_log_multiplier", (float)(magnitude / 10));
        // On top of the paper's.
        if (rope.AttentionFactor is { } attention)
            yield return ("rope.scaling.attn_factor", (float)(attention / RopeScaling.YarnMagnitude(factor)));
    }

    public override bool? FindBool(string gguf, string huggingFace) => metadata.FindBoolean(Key(gguf));

    public override string? FindText(string gguf, string huggingFace) => metadata.FindString(Key(gguf));

    public override string[]? FindTexts(string gguf, string huggingFace) => metadata.FindStrings(Key(gguf))?.ToArray();

    public override double? FindNumber(string gguf, string huggingFace) =>
        metadata.TryGet(Key(gguf), out var value) && value.Type != GgufValueType.Array ? value.ToNumber() : null;

    public override double[]? FindNumbers(string gguf, string huggingFace)
    {
        if (!metadata.TryGet(Key(gguf), out var value) || value.Type != GgufValueType.Array)
            return null;
        return value.ElementType switch
        {
            GgufValueType.Bool => Array.ConvertAll(value.ToBooleans(), b => b ? 1.0 : 0.0),
            GgufValueType.Float32 or GgufValueType.Float64 => Array.ConvertAll(value.ToNumbers(), f => (double)f),
            _ => Array.ConvertAll(value.ToIntegers(), i => (double)i),
        };
    }

    protected override string Name(string gguf, string huggingFace) => $"metadata {ModelFormatException.Quote(Key(gguf))}";

    private string Key(string gguf) => gguf.StartsWith("general.", StringComparison.Ordinal) || gguf.StartsWith("tokenizer.", StringComparison.Ordinal) ? gguf : $"{architecture}.{gguf}";
}
