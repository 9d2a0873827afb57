namespace OpenHearth.Engine.Sampling;

/// <summary>x − count·frequency − [count &gt; 0]·presence for the tokens among the last n, as OpenAI's API defines the two.</summary>
internal sealed class FrequencyPresencePenalty(float frequency, float presence, int lastN) : ILogitAdjustment
{
    public void Apply(Span<float> logits, TokenHistory history)
    {
        foreach (var (token, count) in history.Counts(lastN))
            logits[token] -= count * frequency + presence;
    }
}
