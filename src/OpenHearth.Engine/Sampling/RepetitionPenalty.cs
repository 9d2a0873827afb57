namespace OpenHearth.Engine.Sampling;

/// <summary>
/// The penalty of CTRL (Keskar et al., 2019), once for each distinct token of the last n: x/r where x is positive, x·r
/// where it is not.
/// </summary>
internal sealed class RepetitionPenalty(float penalty, int lastN) : ILogitAdjustment
{
    public void Apply(Span<float> logits, TokenHistory history)
    {
        foreach (var (token, _) in history.Counts(lastN))
            logits[token] = logits[token] > 0 ? logits[token] / penalty : logits[token] * penalty;
    }
}
