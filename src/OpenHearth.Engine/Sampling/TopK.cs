namespace OpenHearth.Engine.Sampling;

/// <summary>Keeps the k highest logits.</summary>
internal sealed class TopK(int k) : ICandidateFilter
{
    public void Apply(Candidates candidates) => candidates.KeepHighest(k);
}
