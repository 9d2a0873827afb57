using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Safetensors;
using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;

namespace OpenHearth.Engine.Architectures;

/// <summary>Base frequency and scaling of rotary positions: from what the model says to radians a token.</summary>
internal static class RopeScaling
{
    /// <summary>The divisor by which GGUF files say that a pair does not turn.</summary>
    public const float Still = 1e30f;

    /// <summary>The angles of a model whose layers are all alike.</summary>
    /// <param name="g">The graph; its tensors may hold <c>rope_freqs</c>, the divisors that GGUF files have for Llama 3.1's scaling</param>
    /// <param name="p">What the model says of itself.</param>
    /// <param name="dimensions">Values of a head that are rotated.</param>
    public static Node Angles(GraphBuilder g, HyperParameters p, int dimensions)
    {
        var rope = p.Rope() ?? Default(10000);
        if (rope.Type == "longrope" || g.Weights.Has("rope_factors_long.weight"))
            return Long(g, rope, p, dimensions);
        if (rope is { Type: "dynamic", Alpha: null })
            return g.DynamicRopeAngles(new RopeFrequencies(Unscaled(rope.Theta, dimensions, p)), new DynamicRope(rope.Theta, Factor(rope, p), checked((int)Original(rope, p))));
        if (!g.Weights.Has("rope_freqs.weight"))
        {
            var frequencies = Frequencies(rope, p, dimensions);
            if (rope.Type == "llama3")
                p.NoteTensor("rope_freqs.weight", [.. Unscaled(rope.Theta, dimensions, p).Zip(frequencies.Inverse, (unscaled, scaled) => unscaled / scaled)]);
            return g.RopeAngles(frequencies);
        }
        var divisors = g.Weights.Vector("rope_freqs.weight", dimensions / 2);
        return g.RopeAngles(new RopeFrequencies([.. Unscaled(rope.Theta, dimensions, p).Zip(divisors, (frequency, divisor) => divisor >= Still ? 0 : frequency / divisor)]));
    }

    /// <summary>The declaration of a base without scaling.</summary>
    public static RopeParameters Default(double theta) => new() { Type = "default", Theta = theta };

    /// <summary>The frequencies that a declaration comes to.</summary>
    /// <param name="rope">The declaration.</param>
    /// <param name="p">Where it was read, for messages.</param>
    /// <param name="dimensions">Values of a head that are rotated.</param>
    public static RopeFrequencies Frequencies(RopeParameters rope, HyperParameters p, int dimensions)
    {
        var inverse = Unscaled(rope.Theta, dimensions, p);
        return rope.Type switch
        {
            "default" => new RopeFrequencies(inverse),
            "linear" => new RopeFrequencies([.. inverse.Select(frequency => (float)(frequency / Factor(rope, p)))]),
            "ntk" => new RopeFrequencies(Unscaled(NtkBase(rope.Theta, Factor(rope, p), dimensions), dimensions, p)),
            "dynamic" when rope.Alpha is { } alpha => new RopeFrequencies(Unscaled(NtkBase(rope.Theta, alpha, dimensions), dimensions, p)),
            "llama3" => Llama3(rope, p, inverse),
            "yarn" => Yarn(rope, p, inverse),
            _ => throw new ModelFormatException($"{p.Path}: RoPE scaling {ModelFormatException.Quote(rope.Type)} is not known"),
        };
    }

    /// <summary>The frequencies of a base of which only the fastest share is used; the other pairs stand still.</summary>
    public static RopeFrequencies Partial(double theta, double share, HyperParameters p, int dimensions)
    {
        var inverse = Unscaled(theta, dimensions, p);
        inverse.AsSpan((int)(Math.Clamp(share, 0, 1) * dimensions) / 2).Clear();
        return new RopeFrequencies(inverse);
    }

    /// <summary>0.1 · multiplier · ln(factor) + 1: how much sharper attention gets on longer texts. Source: the YaRN paper, equation 22.</summary>
    public static double YarnMagnitude(double factor, double multiplier = 1) => factor <= 1 ? 1 : (0.1 * multiplier * Math.Log(factor)) + 1;

    // The slowest pair turns as if positions were divided by the factor, the fastest as before. Source: bloc97, NTK-aware
    // scaled RoPE, 2023; Hunyuan calls the factor alpha.
    private static double NtkBase(double theta, double factor, int dimensions) => dimensions <= 2 ? theta : theta * Math.Pow(factor, dimensions / (dimensions - 2.0));

    // theta^(-2i / dimensions) for every pair i
    private static float[] Unscaled(double theta, int dimensions, HyperParameters p)
    {
        if (dimensions is < 2 or > 1 << 16 || dimensions % 2 != 0)
            throw new ModelFormatException($"{p.Path}: {dimensions} values of a head can't be rotated in pairs");
        var inverse = new float[dimensions / 2];
        for (var i = 0; i < inverse.Length; i++)
            inverse[i] = (float)(1 / Math.Pow(theta, 2.0 * i / dimensions));
        return inverse;
    }

    // Long waves are stretched, short ones kept, those between blended. Source: Meta's Llama 3.1 reference code.
    private static RopeFrequencies Llama3(RopeParameters rope, HyperParameters p, float[] inverse)
    {
        var low = rope.LowFrequencyFactor ?? 1;
        var high = rope.HighFrequencyFactor ?? 4;
        var original = Original(rope, p);
        var factor = Factor(rope, p);
        return new RopeFrequencies([.. inverse.Select(frequency =>
        {
            var turns = original * frequency / (2 * Math.PI);
            var kept = Math.Clamp((turns - low) / (high - low), 0, 1);
            return (float)(((1 - kept) * frequency / factor) + (kept * frequency));
        })]);
    }

    // Source: Peng et al., YaRN, 2023, sections 3.2 to 3.4.
    private static RopeFrequencies Yarn(RopeParameters rope, HyperParameters p, float[] inverse)
    {
        var factor = Factor(rope, p);
        var original = Original(rope, p);
        var dimensions = 2 * inverse.Length;
        double PairThatTurns(double times) => dimensions * Math.Log(original / (times * 2 * Math.PI)) / (2 * Math.Log(rope.Theta));
        var low = PairThatTurns(rope.BetaFast ?? 32);
        var high = PairThatTurns(rope.BetaSlow ?? 1);
        if (rope.Truncate)
            (low, high) = (Math.Floor(low), Math.Ceiling(high));
        low = Math.Max(low, 0);
        high = Math.Min(high, dimensions - 1);
        var scaled = new float[inverse.Length];
        for (var i = 0; i < scaled.Length; i++)
        {
            var stretched = Math.Clamp((i - low) / Math.Max(high - low, 0.001), 0, 1);
            scaled[i] = (float)((inverse[i] / factor * stretched) + (inverse[i] * (1 - stretched)));
        }
        return new RopeFrequencies(scaled, (float)Magnitude(rope, p, factor));
    }

    // Every pair has a divisor of its own, one within the original length and one beyond.
    // Source: Ding et al., LongRoPE, 2024, with Phi-3's rule for the magnitude.
    private static Node Long(GraphBuilder g, RopeParameters rope, HyperParameters p, int dimensions)
    {
        var original = checked((int)Original(rope, p));
        var inverse = Unscaled(rope.Theta, dimensions, p);
        var context = p.Int("context_length", "max_position_embeddings");
        var stretch = context == original ? rope.Factor ?? 1 : context / (double)original;
        // Phi-3.5 MoE names the magnitudes itself.
        double? Named(string kind) => p.FindNumber("", $"rope_scaling.{kind}_mscale|rope_parameters.{kind}_mscale");
        var magnitude = Named("long") ?? rope.AttentionFactor ?? (stretch > 1 ? Math.Sqrt(1 + (Math.Log(stretch) / Math.Log(original))) : 1);
        p.Note("rope.scaling.attn_factor", (float)magnitude);
        // Phi-3's class accepts no further key in the section, and this one only by its older name.
        p.Note("", "rope_scaling.type", "longrope");
        p.Note("", "original_max_position_embeddings", (uint)original);
        RopeFrequencies Divided(string kind, IReadOnlyList<double>? factors)
        {
            if (p.IsGguf)
                factors = [.. g.Weights.Vector($"rope_factors_{kind}.weight", inverse.Length).Select(factor => (double)factor)];
            if (factors is null || factors.Count != inverse.Length || factors.Any(factor => !(factor > 0)))
                throw p.Wrong("", $"rope_scaling.{kind}_factor", $"anything but {inverse.Length} numbers above 0");
            p.NoteTensor($"rope_factors_{kind}.weight", [.. factors.Select(factor => (float)factor)]);
            p.Note("", $"rope_scaling.{kind}_factor", factors.ToArray());
            return new RopeFrequencies([.. inverse.Select((frequency, i) => (float)(frequency / factors[i]))], (float)(Named(kind) ?? magnitude));
        }
        return g.LongRopeAngles(Divided("short", rope.ShortFactor), Divided("long", rope.LongFactor), original);
    }

    private static double Magnitude(RopeParameters rope, HyperParameters p, double factor)
    {
        // In a GGUF file the factor comes on top of the paper's, in config.json instead of it.
        if (rope.AttentionFactor is { } given)
            return p.IsGguf ? given * YarnMagnitude(factor) : given;
        return rope is { Mscale: > 0, MscaleAllDimensions: > 0 }
            ? YarnMagnitude(factor, rope.Mscale.Value) / YarnMagnitude(factor, rope.MscaleAllDimensions.Value)
            : YarnMagnitude(factor);
    }

    private static double Factor(RopeParameters rope, HyperParameters p) =>
        rope.Factor is > 0 ? rope.Factor.Value : throw p.Missing("rope.scaling.factor", "rope_scaling.factor");

    private static double Original(RopeParameters rope, HyperParameters p) =>
        rope.OriginalMaxPositions is > 0 ? rope.OriginalMaxPositions.Value : throw p.Missing("rope.scaling.original_context_length", "original_max_position_embeddings");
}
