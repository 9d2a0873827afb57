namespace OpenHearth.Engine.Sampling;

/// <summary>A step that removes candidates or rescales them all. It leaves at least one.</summary>
internal interface ICandidateFilter
{
    void Apply(Candidates candidates);
}
