namespace OpenHearth.Engine.Sampling;

/// <summary>Min-p (Nguyen et al., "Turning up the heat", 2024): tokens at least <c>p</c> times as probable as the best.</summary>
internal sealed class MinP(float p) : ICandidateFilter
{
    private readonly double _logP = PortableMath.Log(p);

    // p(x) ≥ p·max needs no exponentials: x ≥ highest + ln p.
    public void Apply(Candidates candidates) => candidates.KeepAtLeast(candidates.Highest + _logP);
}
