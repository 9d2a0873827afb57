namespace OpenHearth.Engine.Sampling;

/// <summary>
/// Locally typical sampling (Meister et al., 2023): the tokens whose surprise −ln p is nearest the entropy, until their
/// mass reaches <c>mass</c>.
/// </summary>
internal sealed class TypicalP(float mass) : ICandidateFilter
{
    public void Apply(Candidates candidates)
    {
        var weights = candidates.Weights(out var total);
        var logits = candidates.Logits;
        var weighted = 0.0;
        for (var i = 0; i < weights.Length; i++)
            weighted += weights[i] * ((double)logits[i] - candidates.Highest);
        // −ln p − H = (ln Z − x) − (ln Z − E[x]): the logarithm of the sum cancels.
        var expected = weighted / total;
        var scores = candidates.Scores();
        for (var i = 0; i < scores.Length; i++)
            scores[i] = -(float)Math.Abs(expected - ((double)logits[i] - candidates.Highest));
        candidates.KeepMass(scores, weights, mass * total);
    }
}
