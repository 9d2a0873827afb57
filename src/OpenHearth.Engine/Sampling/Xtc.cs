namespace OpenHearth.Engine.Sampling;

/// <summary>
/// Exclude top choices: with a given chance, of the tokens with p ≥ threshold all but the least probable are removed
/// (nothing where there is only one).
/// </summary>
internal sealed class Xtc(float probability, float threshold, Xoshiro256 random) : ICandidateFilter
{
    public void Apply(Candidates candidates)
    {
        // Drawn for every token, so that what is drawn later does not depend on the threshold.
        if (random.NextDouble() >= probability)
            return;
        var weights = candidates.Weights(out var total);
        var least = -1;
        for (var i = 0; i < weights.Length; i++)
        {
            // Of equally improbable tokens the last one stays.
            if (weights[i] >= threshold * total && (least < 0 || weights[i] <= weights[least]))
                least = i;
        }
        if (least >= 0)
            candidates.RemoveAtLeast(threshold * total, weights, least);
    }
}
