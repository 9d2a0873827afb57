namespace OpenHearth.Engine.Sampling;

/// <summary>Divides logits by a temperature above 0: below 1 sharpens, above 1 flattens.</summary>
internal sealed class Temperature(float temperature) : ICandidateFilter
{
    public void Apply(Candidates candidates) => candidates.Rescale(temperature);
}
