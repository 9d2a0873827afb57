namespace OpenHearth.Engine.Sampling;

/// <summary>
/// Top-nσ (Tang et al., "Top-nσ: not all logits are you need", 2024): logits within n standard deviations (divisor N,
/// over the candidates) of the highest.
/// </summary>
internal sealed class TopNSigma(float n) : ICandidateFilter
{
    public void Apply(Candidates candidates)
    {
        var logits = candidates.Logits;
        var mean = 0.0;
        foreach (var logit in logits)
            mean += logit;
        mean /= logits.Length;
        var squares = 0.0;
        foreach (var logit in logits)
            squares += (logit - mean) * (logit - mean);
        candidates.KeepAtLeast(candidates.Highest - n * Math.Sqrt(squares / logits.Length));
    }
}
