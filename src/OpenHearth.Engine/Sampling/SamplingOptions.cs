namespace OpenHearth.Engine.Sampling;

/// <summary>
/// How the next token is chosen from a model's logits. Every step is off unless its field says so, and the order is
/// always the same, whatever the order in which fields are set:
/// <list type="number">
/// <item>what changes logits: logit bias, repetition penalty, frequency and presence penalty, DRY;</item>
/// <item>what removes candidates: top-n-sigma, top-k, typical-p, top-p, min-p, XTC, each on the renormalized rest;</item>
/// <item>temperature, then one draw.</item>
/// </list>
/// Temperature 0 is greedy: after the first group the highest logit is taken, the lowest id on a tie. Mirostat takes
/// the place of the whole second group and comes after the temperature. Immutable and safe to share.
/// </summary>
public sealed record SamplingOptions
{
    /// <summary>The highest logit, always: temperature 0 and nothing else.</summary>
    public static SamplingOptions Greedy { get; } = new() { Temperature = 0 };

    /// <summary>Logits are divided by it before the draw; 0 is greedy, 1 leaves them as the model gave them.</summary>
    public float Temperature { get; init; } = 0.8f;

    /// <summary>Keeps the so many highest logits; 0 keeps all.</summary>
    public int TopK { get; init; } = 40;

    /// <summary>Keeps the shortest run of most probable tokens whose mass reaches it; 1 keeps all.</summary>
    public float TopP { get; init; } = 0.95f;

    /// <summary>Keeps tokens at least this fraction as probable as the best one; 0 keeps all.</summary>
    public float MinP { get; init; } = 0.05f;

    /// <summary>Keeps the tokens whose surprise is nearest the entropy, up to this mass; 1 keeps all.</summary>
    public float TypicalP { get; init; } = 1;

    /// <summary>Keeps logits within so many standard deviations of the highest; 0 keeps all.</summary>
    public float TopNSigma { get; init; }

    /// <summary>Divides positive and multiplies negative logits of recent tokens; 1 is off.</summary>
    public float RepeatPenalty { get; init; } = 1;

    /// <summary>How many of the last tokens (prompt included) the three plain penalties look at.</summary>
    public int RepeatLastN { get; init; } = 64;

    /// <summary>Taken from a logit for each time the token is among the recent ones; 0 is off.</summary>
    public float FrequencyPenalty { get; init; }

    /// <summary>Taken from a logit once if the token is among the recent ones; 0 is off.</summary>
    public float PresencePenalty { get; init; }

    /// <summary>Strength of DRY, the penalty on continuing a sequence that was there before; 0 is off.</summary>
    public float DryMultiplier { get; init; }

    /// <summary>DRY's penalty grows with this base for each token beyond the allowed length.</summary>
    public float DryBase { get; init; } = 1.75f;

    /// <summary>Repeated sequences shorter than this are free of DRY's penalty.</summary>
    public int DryAllowedLength { get; init; } = 2;

    /// <summary>How many of the last tokens DRY searches for repetitions.</summary>
    public int DryLastN { get; init; } = 1024;

    /// <summary>A token that contains one of these texts ends every repeated sequence for DRY.</summary>
    public IReadOnlyList<string> DryBreakers { get; init; } = ["\n", ":", "\"", "*"];

    /// <summary>Chance that XTC acts on a token; 0 is off.</summary>
    public float XtcProbability { get; init; }

    /// <summary>Where XTC acts, all tokens at least this probable are removed except the least probable of them.</summary>
    public float XtcThreshold { get; init; } = 0.1f;

    /// <summary>Mirostat 2's target surprise in bits; 0 is off. See <see cref="SamplingOptions"/> for what it replaces.</summary>
    public float MirostatTau { get; init; }

    /// <summary>Mirostat 2's learning rate.</summary>
    public float MirostatEta { get; init; } = 0.1f;

    /// <summary>Added to the logits of these token ids; −∞ forbids a token.</summary>
    public IReadOnlyDictionary<int, float> LogitBias { get; init; } = new Dictionary<int, float>();

    /// <summary>Seed of the draws; the same seed, options and logits give the same tokens everywhere. Null: a random one.</summary>
    public long? Seed { get; init; }

    /// <summary>Throws for the first field that is out of its range.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><see cref="ArgumentException.ParamName"/> is the field's name.</exception>
    public void Validate()
    {
        Require(Temperature >= 0 && float.IsFinite(Temperature), nameof(Temperature), Temperature, "0 (greedy) or more");
        Require(TopK >= 0, nameof(TopK), TopK, "0 (off) or more");
        Require(TopP is > 0 and <= 1, nameof(TopP), TopP, "above 0 and at most 1 (off)");
        Require(MinP is >= 0 and <= 1, nameof(MinP), MinP, "from 0 (off) to 1");
        Require(TypicalP is > 0 and <= 1, nameof(TypicalP), TypicalP, "above 0 and at most 1 (off)");
        Require(TopNSigma >= 0 && float.IsFinite(TopNSigma), nameof(TopNSigma), TopNSigma, "0 (off) or more");
        Require(RepeatPenalty > 0 && float.IsFinite(RepeatPenalty), nameof(RepeatPenalty), RepeatPenalty, "above 0; 1 is off");
        Require(RepeatLastN is >= 0 and <= TokenHistory.LargestWindow, nameof(RepeatLastN), RepeatLastN, WindowRange);
        Require(float.IsFinite(FrequencyPenalty), nameof(FrequencyPenalty), FrequencyPenalty, "a finite number");
        Require(float.IsFinite(PresencePenalty), nameof(PresencePenalty), PresencePenalty, "a finite number");
        Require(DryMultiplier >= 0 && float.IsFinite(DryMultiplier), nameof(DryMultiplier), DryMultiplier, "0 (off) or more");
        Require(DryBase >= 1 && float.IsFinite(DryBase), nameof(DryBase), DryBase, "1 or more");
        Require(DryAllowedLength >= 1, nameof(DryAllowedLength), DryAllowedLength, "1 or more");
        Require(DryLastN is >= 0 and <= TokenHistory.LargestWindow, nameof(DryLastN), DryLastN, WindowRange);
        Require(DryBreakers.All(text => text.Length > 0), nameof(DryBreakers), "an empty text", "texts of at least one character");
        Require(XtcProbability is >= 0 and <= 1, nameof(XtcProbability), XtcProbability, "from 0 (off) to 1");
        Require(XtcThreshold is >= 0 and <= 1, nameof(XtcThreshold), XtcThreshold, "from 0 to 1");
        Require(MirostatTau >= 0 && float.IsFinite(MirostatTau), nameof(MirostatTau), MirostatTau, "0 (off) or more");
        Require(MirostatEta is > 0 and <= 1, nameof(MirostatEta), MirostatEta, "above 0 and at most 1");
        foreach (var (id, bias) in LogitBias)
            Require(id >= 0 && bias < float.PositiveInfinity, nameof(LogitBias), $"{id}: {bias}", "token ids with finite biases or −∞");
    }

    internal void ValidateBias(int vocabularySize)
    {
        foreach (var id in LogitBias.Keys)
            Require(id < vocabularySize, nameof(LogitBias), id, $"ids of a vocabulary of {vocabularySize} tokens");
    }

    private static readonly string WindowRange = $"from 0 to {TokenHistory.LargestWindow} tokens";

    private static void Require(bool holds, string field, object value, string range)
    {
        if (!holds)
            throw new ArgumentOutOfRangeException(field, value, $"{field} is {value}; it must be {range}.");
    }
}
