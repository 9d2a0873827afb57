using OpenHearth.Engine.Files;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// Reads how a model turns positions into angles: base frequency and one of the scalings that stretch it to longer contexts.
/// Both styles of <c>config.json</c> are read: <c>rope_theta</c> with <c>rope_scaling</c>, and <c>rope_parameters</c>.
/// </summary>
internal static class RopeScaling
{
    /// <summary>The frequencies of a model.</summary>
    /// <param name="p">What the model says of itself.</param>
    /// <param name="weights">May hold <c>rope_freqs</c>, the divisors that GGUF files have for Llama 3.1's scaling.</param>
    /// <param name="dimensions">Values of a head that are rotated.</param>
    /// <param name="defaultBase">Base where the model names none.</param>
    public static RopeFrequencies Read(HyperParameters p, ModelWeights weights, int dimensions, float defaultBase = 10000f)
    {
        if (dimensions < 2 || dimensions % 2 != 0)
            throw new ModelFormatException($"{p.Path}: {dimensions} values of a head can't be rotated in pairs");
        var theta = p.Float("rope.freq_base", "rope_theta|rope_parameters.rope_theta", defaultBase);
        var inverse = Unscaled(theta, dimensions);
        if (weights.Has("rope_freqs.weight"))
        {
            var divisors = weights.Vector("rope_freqs.weight", dimensions / 2);
            return new RopeFrequencies([.. inverse.Zip(divisors, (frequency, divisor) => frequency / divisor)]);
        }
        var type = p.FindText("rope.scaling.type", "rope_scaling.rope_type|rope_scaling.type|rope_parameters.rope_type|rope_parameters.type") ?? "none";
        return type switch
        {
            "none" or "default" => new RopeFrequencies(inverse),
            "linear" => new RopeFrequencies([.. inverse.Select(frequency => frequency / Factor(p))]),
            "llama3" => Llama3(p, inverse),
            "yarn" => Yarn(p, inverse, theta),
            _ => throw new ModelFormatException($"{p.Path}: RoPE scaling {ModelFormatException.Quote(type)} is not known"),
        };
    }

    /// <summary>base^(-2i / dimensions) for every pair i.</summary>
    private static float[] Unscaled(float theta, int dimensions)
    {
        var inverse = new float[dimensions / 2];
        for (var i = 0; i < inverse.Length; i++)
            inverse[i] = (float)(1 / Math.Pow(theta, 2.0 * i / dimensions));
        return inverse;
    }

    // Long waves are stretched, short ones kept, those between blended. Source: Meta's Llama 3.1 reference code.
    private static RopeFrequencies Llama3(HyperParameters p, float[] inverse)
    {
        var low = p.Float("", "rope_scaling.low_freq_factor|rope_parameters.low_freq_factor", 1f);
        var high = p.Float("", "rope_scaling.high_freq_factor|rope_parameters.high_freq_factor", 4f);
        var original = Original(p);
        var factor = Factor(p);
        return new RopeFrequencies([.. inverse.Select(frequency =>
        {
            var turns = original * frequency / (2 * Math.PI);
            var kept = Math.Clamp((turns - low) / (high - low), 0, 1);
            return (float)(((1 - kept) * frequency / factor) + (kept * frequency));
        })]);
    }

    // Source: Peng et al., YaRN, 2023, sections 3.2 to 3.4.
    private static RopeFrequencies Yarn(HyperParameters p, float[] inverse, float theta)
    {
        var factor = Factor(p);
        var original = Original(p);
        var dimensions = 2 * inverse.Length;
        double PairThatTurns(double times) => dimensions * Math.Log(original / (times * 2 * Math.PI)) / (2 * Math.Log(theta));
        var low = PairThatTurns(p.Float("rope.scaling.yarn_beta_fast", "rope_scaling.beta_fast|rope_parameters.beta_fast", 32f));
        var high = PairThatTurns(p.Float("rope.scaling.yarn_beta_slow", "rope_scaling.beta_slow|rope_parameters.beta_slow", 1f));
        if (p.Bool("", "rope_scaling.truncate|rope_parameters.truncate", true))
            (low, high) = (Math.Floor(low), Math.Ceiling(high));
        low = Math.Max(low, 0);
        high = Math.Min(high, dimensions - 1);
        var scaled = new float[inverse.Length];
        for (var i = 0; i < scaled.Length; i++)
        {
            var stretched = Math.Clamp((i - low) / Math.Max(high - low, 0.001), 0, 1);
            scaled[i] = (float)((inverse[i] / factor * stretched) + (inverse[i] * (1 - stretched)));
        }
        return new RopeFrequencies(scaled, Magnitude(p, factor));
    }

    private static float Magnitude(HyperParameters p, float factor)
    {
        if (p.FindFloat("rope.scaling.attn_factor", "rope_scaling.attention_factor|rope_parameters.attention_factor") is { } given)
            return p.IsGguf ? given * (float)YarnMagnitude(factor, 1) : given;
        var mscale = p.FindFloat("", "rope_scaling.mscale|rope_parameters.mscale");
        var all = p.FindFloat("", "rope_scaling.mscale_all_dim|rope_parameters.mscale_all_dim");
        return mscale is > 0 && all is > 0 ? (float)(YarnMagnitude(factor, mscale.Value) / YarnMagnitude(factor, all.Value)) : (float)YarnMagnitude(factor, 1);
    }

    /// <summary>0.1 · m · ln(factor) + 1.</summary>
    private static double YarnMagnitude(float factor, float multiplier) => factor <= 1 ? 1 : (0.1 * multiplier * Math.Log(factor)) + 1;

    private static float Factor(HyperParameters p)
    {
        var factor = p.Float("rope.scaling.factor", "rope_scaling.factor|rope_parameters.factor");
        return factor > 0 ? factor : throw p.Wrong("rope.scaling.factor", "rope_scaling.factor", factor);
    }

    private static int Original(HyperParameters p) =>
        p.FindInt("rope.scaling.original_context_length", "rope_scaling.original_max_position_embeddings|rope_parameters.original_max_position_embeddings|original_max_position_embeddings")
        ?? p.Int("context_length", "max_position_embeddings");
}
