using System.Runtime.InteropServices;
using System.Text.Json;
using OpenHearth.Engine.Sampling;

namespace OpenHearth.Engine.Tests.Sampling;

/// <summary>What each sampler leaves of real logits, against numpy in F64 (which llama.cpp and transformers agree with).</summary>
public sealed class SamplingVectorsTests
{
    // Logits are F32 here and F64 there: a biased logit near 20 is rounded by 1e-6.
    private const double Tolerance = 4e-6;

    private static readonly SamplingOptions Off = new() { Temperature = 1, TopK = 0, TopP = 1, MinP = 0, RepeatLastN = 64, Seed = 1 };

    public static TheoryData<string> Filters => [
        "temperature", "top_k", "top_p", "min_p", "typical_p", "typical_p_low", "top_n_sigma", "repetition_penalty",
        "frequency_presence_penalty", "dry", "xtc", "logit_bias", "chain"];

    [Theory]
    [MemberData(nameof(Filters))]
    public void Filter_OfEveryContext_LeavesTheExpectedCandidates(string filter)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Fixtures.Path("fixtures", "evaluation", "sampling.json")));
        var bytes = File.ReadAllBytes(Fixtures.Path("fixtures", "evaluation", "sampling_candidates.bin"));
        var root = document.RootElement;
        var contexts = root.GetProperty("contexts").EnumerateArray().ToArray();
        Assert.Equal(12, contexts.Length);
        Assert.Equal(Filters.Count, contexts[0].GetProperty("after").EnumerateObject().Count());
        foreach (var context in contexts)
        {
            var (ids, values) = Candidates(context, bytes);
            var logits = new float[49152];
            Array.Fill(logits, float.NegativeInfinity);
            for (var i = 0; i < ids.Length; i++)
                logits[ids[i]] = values[i];
            var sampler = new Sampler(Options(filter, root.GetProperty("parameters"), context), logits.Length, Ids(root, "breaker_tokens").ToHashSet());
            foreach (var token in Ids(context, "tokens"))
                sampler.Accept(token);
            var left = sampler.Narrow(logits, new Candidates(logits.Length));
            var expected = context.GetProperty("after").GetProperty(filter);
            Compare($"{filter} of {context.GetProperty("name")}", left, expected);
            if (expected.TryGetProperty("changed", out var changed))
                Assert.Equal(changed.GetInt32(), Changed(left, logits));
        }
    }

    private static void Compare(string name, Candidates left, JsonElement expected)
    {
        Assert.Equal((name, expected.GetProperty("kept").GetInt32()), (name, left.Count));
        var weights = left.Weights(out var total).ToArray();
        var entropy = -weights.Sum(weight => weight == 0 ? 0 : weight / total * Math.Log(weight / total));
        Assert.Equal(expected.GetProperty("entropy").GetDouble(), entropy, Tolerance);
        var best = left.Ids.ToArray().Zip(weights).OrderByDescending(pair => pair.Second).Take(64).ToArray();
        Assert.Equal(Ids(expected, "ids"), best.Select(pair => pair.First));
        var probabilities = expected.GetProperty("p").EnumerateArray().Select(p => p.GetDouble()).ToArray();
        for (var i = 0; i < best.Length; i++)
            Assert.Equal(1, best[i].Second / total / probabilities[i], Tolerance);
    }

    private static int Changed(Candidates left, float[] logits)
    {
        var changed = 0;
        for (var i = 0; i < left.Count; i++)
            changed += left.Logits[i] == logits[left.Ids[i]] ? 0 : 1;
        return changed;
    }

    private static SamplingOptions Options(string filter, JsonElement parameters, JsonElement context)
    {
        float Of(string name) => parameters.GetProperty(name).GetSingle();
        return filter switch
        {
            "temperature" => Off with { Temperature = Of(filter) },
            "top_k" => Off with { TopK = parameters.GetProperty(filter).GetInt32() },
            "top_p" => Off with { TopP = Of(filter) },
            "min_p" => Off with { MinP = Of(filter) },
            "typical_p" or "typical_p_low" => Off with { TypicalP = Of(filter) },
            "top_n_sigma" => Off with { TopNSigma = Of(filter) },
            "repetition_penalty" => Off with { RepeatPenalty = Of(filter) },
            "frequency_presence_penalty" => Off with { FrequencyPenalty = Of("frequency_penalty"), PresencePenalty = Of("presence_penalty") },
            "logit_bias" => Off with { LogitBias = context.GetProperty(filter).EnumerateArray().ToDictionary(pair => pair[0].GetInt32(), Bias) },
            "dry" => Dry(parameters.GetProperty(filter)),
            "xtc" => Xtc(parameters.GetProperty(filter)),
            "chain" => Chain(parameters.GetProperty(filter)),
            _ => throw new ArgumentException(filter),
        };
    }

    private static float Bias(JsonElement pair) =>
        pair[1].ValueKind == JsonValueKind.String ? float.NegativeInfinity : pair[1].GetSingle();

    private static SamplingOptions Dry(JsonElement dry) => Off with
    {
        DryMultiplier = dry.GetProperty("multiplier").GetSingle(),
        DryBase = dry.GetProperty("base").GetSingle(),
        DryAllowedLength = dry.GetProperty("allowed_length").GetInt32(),
        DryLastN = dry.GetProperty("last_n").GetInt32(),
    };

    private static SamplingOptions Xtc(JsonElement xtc) => Off with
    {
        XtcProbability = xtc.GetProperty("probability").GetSingle(),
        XtcThreshold = xtc.GetProperty("threshold").GetSingle(),
    };

    private static SamplingOptions Chain(JsonElement chain) => Off with
    {
        RepeatPenalty = chain.GetProperty("repetition_penalty").GetSingle(),
        FrequencyPenalty = chain.GetProperty("frequency_penalty").GetSingle(),
        PresencePenalty = chain.GetProperty("presence_penalty").GetSingle(),
        TopK = chain.GetProperty("top_k").GetInt32(),
        TopP = chain.GetProperty("top_p").GetSingle(),
        MinP = chain.GetProperty("min_p").GetSingle(),
        Temperature = chain.GetProperty("temperature").GetSingle(),
    };

    private static (int[] Ids, float[] Logits) Candidates(JsonElement context, byte[] bytes)
    {
        var candidates = context.GetProperty("candidates");
        var (count, offset) = (candidates.GetProperty("count").GetInt32(), candidates.GetProperty("offset").GetInt32());
        return (MemoryMarshal.Cast<byte, int>(bytes.AsSpan(offset, 4 * count)).ToArray(),
            MemoryMarshal.Cast<byte, float>(bytes.AsSpan(offset + 4 * count, 4 * count)).ToArray());
    }

    private static int[] Ids(JsonElement element, string name) =>
        [.. element.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];
}
