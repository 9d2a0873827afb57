using System.Security.Cryptography;

namespace OpenHearth.Engine.Sampling;

/// <summary>
/// Chooses the tokens of one sequence: <see cref="Next"/> for the logits of a step, then <see cref="Accept"/> for the
/// token that the sequence really goes on with. Holds the sequence's recent tokens, its random numbers and the state of
/// mirostat. Not thread-safe; make one for each sequence. After the first tokens it allocates nothing.
/// </summary>
public sealed class Sampler
{
    // A random seed survives JSON readers that know doubles only.
    private const long LargestRandomSeed = (1L << 53) - 1;

    private readonly int _vocabularySize;
    private readonly bool _greedy;
    private readonly ILogitAdjustment[] _adjustments;
    private readonly ICandidateFilter[] _filters;
    private readonly Mirostat? _mirostat;
    private readonly TokenHistory _history;
    private readonly float[] _adjusted;
    private readonly Candidates? _candidates;
    private readonly Xoshiro256 _random;

    /// <summary>Makes the sampler of one sequence.</summary>
    /// <param name="options">How to choose.</param>
    /// <param name="vocabularySize">Length of every row of logits.</param>
    /// <param name="dryBreakerTokens">The ids whose text contains one of <see cref="SamplingOptions.DryBreakers"/>; DRY alone reads them.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range, or biases a token outside of the vocabulary.</exception>
    public Sampler(SamplingOptions options, int vocabularySize, IReadOnlySet<int>? dryBreakerTokens = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, 1);
        options.Validate();
        options.ValidateBias(vocabularySize);
        _vocabularySize = vocabularySize;
        _greedy = options.Temperature == 0;
        _adjustments = [.. Adjustments(options, dryBreakerTokens ?? new HashSet<int>())];
        _mirostat = !_greedy && options.MirostatTau > 0 ? new Mirostat(options.MirostatTau, options.MirostatEta) : null;
        var window = Math.Max(PenaltyWindow(options), options.DryMultiplier > 0 ? options.DryLastN : 0);
        _history = new TokenHistory(window, vocabularySize);
        _adjusted = _adjustments.Length > 0 ? new float[vocabularySize] : [];
        _candidates = _greedy ? null : new Candidates(vocabularySize);
        Seed = options.Seed ?? BitConverter.ToInt64(RandomNumberGenerator.GetBytes(8)) & LargestRandomSeed;
        _random = new Xoshiro256((ulong)Seed);
        _filters = _greedy ? [] : [.. Filters(options, _mirostat, _random)];
    }

    /// <summary>The seed in use: the one of the options, or the one that was picked where they give none.</summary>
    public long Seed { get; }

    /// <summary>Chooses a token. The sequence does not go on before <see cref="Accept"/>.</summary>
    /// <param name="logits">One number a token of the vocabulary, [vocabulary]; not changed.</param>
    /// <returns>A token id.</returns>
    /// <exception cref="ArgumentException">The row has another length than the vocabulary.</exception>
    /// <exception cref="NotFiniteNumberException">A logit is NaN or +∞, or all are −∞ once biases are added.</exception>
    public int Next(ReadOnlySpan<float> logits)
    {
        if (logits.Length != _vocabularySize)
            throw new ArgumentException($"There are {logits.Length} logits for a vocabulary of {_vocabularySize} tokens.", nameof(logits));
        if (_candidates is null)
            return Argmax.Of(Adjust(logits));
        var token = Narrow(logits, _candidates).Draw(_random, out var probability);
        _mirostat?.Observe(probability);
        return token;
    }

    /// <summary>Appends a token of the prompt or of the answer to what the penalties look at.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The token is outside of the vocabulary.</exception>
    public void Accept(int token) => _history.Add(token);

    /// <summary>What is left to draw from.</summary>
    internal Candidates Narrow(ReadOnlySpan<float> logits, Candidates candidates)
    {
        candidates.Load(Adjust(logits));
        foreach (var filter in _filters)
            filter.Apply(candidates);
        return candidates;
    }

    private ReadOnlySpan<float> Adjust(ReadOnlySpan<float> logits)
    {
        if (_adjustments.Length == 0)
            return logits;
        logits.CopyTo(_adjusted);
        foreach (var adjustment in _adjustments)
            adjustment.Apply(_adjusted, _history);
        return _adjusted;
    }

    private static int PenaltyWindow(SamplingOptions options) =>
        options is { RepeatPenalty: 1, FrequencyPenalty: 0, PresencePenalty: 0 } ? 0 : options.RepeatLastN;

    private static IEnumerable<ILogitAdjustment> Adjustments(SamplingOptions options, IReadOnlySet<int> dryBreakerTokens)
    {
        if (options.LogitBias.Count > 0)
            yield return new LogitBias(options.LogitBias);
        if (options.RepeatPenalty != 1)
            yield return new RepetitionPenalty(options.RepeatPenalty, options.RepeatLastN);
        if (options.FrequencyPenalty != 0 || options.PresencePenalty != 0)
            yield return new FrequencyPresencePenalty(options.FrequencyPenalty, options.PresencePenalty, options.RepeatLastN);
        if (options.DryMultiplier > 0)
            yield return new Dry(options, dryBreakerTokens);
    }

    private static IEnumerable<ICandidateFilter> Filters(SamplingOptions options, Mirostat? mirostat, Xoshiro256 random)
    {
        if (mirostat is null)
        {
            if (options.TopNSigma > 0)
                yield return new TopNSigma(options.TopNSigma);
            if (options.TopK > 0)
                yield return new TopK(options.TopK);
            if (options.TypicalP < 1)
                yield return new TypicalP(options.TypicalP);
            if (options.TopP < 1)
                yield return new TopP(options.TopP);
            if (options.MinP > 0)
                yield return new MinP(options.MinP);
            if (options.XtcProbability > 0)
                yield return new Xtc(options.XtcProbability, options.XtcThreshold, random);
        }
        if (options.Temperature != 1)
            yield return new Temperature(options.Temperature);
        if (mirostat is not null)
            yield return mirostat;
    }
}
