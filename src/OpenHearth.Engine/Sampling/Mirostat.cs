namespace OpenHearth.Engine.Sampling;

/// <summary>
/// Mirostat 2 (Basu et al., "Mirostat: a neural text decoding algorithm that directly controls perplexity", 2021):
/// removes tokens whose surprise in bits exceeds μ, and after each draw moves μ so that the mean surprise nears τ.
/// μ starts at 2τ.
/// </summary>
internal sealed class Mirostat(float tau, float eta) : ICandidateFilter
{
    private const double Ln2 = 0.6931471805599453;

    private double _mu = 2 * tau;

    public void Apply(Candidates candidates)
    {
        candidates.Weights(out var total);
        // −log2 p ≤ μ, as a threshold on logits; the best token always stays.
        var threshold = candidates.Highest + PortableMath.Log(total) - _mu * Ln2;
        candidates.KeepAtLeast(Math.Min(threshold, candidates.Highest));
    }

    /// <summary>Learns from the renormalized probability of the token drawn.</summary>
    public void Observe(double probability) => _mu -= eta * (-PortableMath.Log(probability) / Ln2 - tau);
}
