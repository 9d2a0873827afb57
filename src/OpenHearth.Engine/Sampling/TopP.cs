namespace OpenHearth.Engine.Sampling;

/// <summary>
/// Nucleus sampling (Holtzman et al., "The curious case of neural text degeneration", 2020): the shortest run of most
/// probable tokens with mass ≥ p.
/// </summary>
internal sealed class TopP(float p) : ICandidateFilter
{
    public void Apply(Candidates candidates) => candidates.KeepMassByLogit(p);
}
