namespace OpenHearth.Engine.Sampling;

/// <summary>A step that changes logits of chosen tokens before any candidate is removed.</summary>
internal interface ILogitAdjustment
{
    /// <summary>Changes <paramref name="logits"/> [vocabulary] in place.</summary>
    void Apply(Span<float> logits, TokenHistory history);
}
