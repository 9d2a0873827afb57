namespace OpenHearth.Engine.Sampling;

/// <summary>Adds a constant to the logits of chosen tokens; −∞ removes one.</summary>
internal sealed class LogitBias(IReadOnlyDictionary<int, float> biases) : ILogitAdjustment
{
    private readonly KeyValuePair<int, float>[] _biases = [.. biases];

    public void Apply(Span<float> logits, TokenHistory history)
    {
        foreach (var (id, bias) in _biases)
            logits[id] += bias;
    }
}
