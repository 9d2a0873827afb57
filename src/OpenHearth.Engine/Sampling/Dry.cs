namespace OpenHearth.Engine.Sampling;

/// <summary>
/// DRY ("don't repeat yourself"): let n(t) be the longest run at the end of the last tokens that also occurs earlier
/// and is followed there by t. If n(t) reaches the allowed length, t loses multiplier · base^(n(t) − allowed length), at most 10⁶.
/// A run does not reach across a token that contains a breaker, and such tokens are never penalized.
/// Linear in the window: the runs are the Z function of the reversed tokens.
/// </summary>
internal sealed class Dry(SamplingOptions options, IReadOnlySet<int> breakerTokens) : ILogitAdjustment
{
    // Leaves no chance anyway; larger ones would overflow.
    private const double LargestPenalty = 1e6;

    private int[] _reversed = [];
    private int[] _runs = [];
    private readonly Dictionary<int, int> _longest = [];

    public void Apply(Span<float> logits, TokenHistory history)
    {
        var tokens = history.Last(options.DryLastN);
        var longestRun = 0;
        while (longestRun < tokens.Length && !breakerTokens.Contains(tokens[tokens.Length - 1 - longestRun]))
            longestRun++;
        if (longestRun < options.DryAllowedLength)
            return;
        FindLongestRuns(tokens, longestRun);
        foreach (var (token, run) in _longest)
            logits[token] -= (float)Penalty(run);
    }

    private void FindLongestRuns(ReadOnlySpan<int> tokens, int longestRun)
    {
        if (_reversed.Length < tokens.Length)
        {
            _reversed = new int[Math.Max(tokens.Length, Math.Min(options.DryLastN, 2 * _reversed.Length))];
            _runs = new int[_reversed.Length];
            _longest.EnsureCapacity(_reversed.Length);
        }
        var reversed = _reversed.AsSpan(0, tokens.Length);
        tokens.CopyTo(reversed);
        reversed.Reverse();
        ZFunction(reversed, _runs);
        _longest.Clear();
        for (var i = 1; i < reversed.Length; i++)
        {
            var run = Math.Min(_runs[i], longestRun);
            var next = reversed[i - 1];
            if (run >= options.DryAllowedLength && !breakerTokens.Contains(next) && run > _longest.GetValueOrDefault(next))
                _longest[next] = run;
        }
    }

    /// <summary>runs[i] = how many tokens from i on equal those from 0 on (D. Gusfield, "Algorithms on strings", 1997, 1.4).</summary>
    private static void ZFunction(ReadOnlySpan<int> tokens, Span<int> runs)
    {
        var (start, end) = (0, 0);
        for (var i = 1; i < tokens.Length; i++)
        {
            var run = i < end ? Math.Min(end - i, runs[i - start]) : 0;
            while (i + run < tokens.Length && tokens[run] == tokens[i + run])
                run++;
            runs[i] = run;
            if (i + run > end)
                (start, end) = (i, i + run);
        }
    }

    private double Penalty(int run)
    {
        var penalty = (double)options.DryMultiplier;
        // Multiplied rather than raised to a power, whose last bits differ between platforms.
        for (var n = options.DryAllowedLength; n < run && penalty < LargestPenalty; n++)
            penalty *= options.DryBase;
        return Math.Min(penalty, LargestPenalty);
    }
}
