namespace OpenHearth.Kernels.Formats;

/// <summary>How much each value of a row matters to an encoder, or nothing.</summary>
/// <param name="weights">[values]; empty means none</param>
/// <param name="meanSquare">Of the whole row's values.</param>
internal readonly ref struct Importance(ReadOnlySpan<float> weights, float meanSquare)
{
    /// <summary>True where all values matter as the format sees fit.</summary>
    public bool IsNone => Weights.IsEmpty;

    /// <summary>Mean square of the inputs that each value is multiplied with. [values]</summary>
    public ReadOnlySpan<float> Weights { get; } = weights;

    /// <summary>Mean of the squares of the whole row's values.</summary>
    public float MeanSquare { get; } = meanSquare;

    /// <summary>The importance of some of the values.</summary>
    public Importance Slice(int start, int length) => IsNone ? this : new(Weights.Slice(start, length), MeanSquare);

    /// <summary>Weights for a fit: importance · sqrt(spread + value²).</summary>
    /// <param name="values">[n]</param>
    /// <param name="spread">A mean square of the surroundings, which keeps small values from not mattering at all.</param>
    /// <param name="result">[n]</param>
    public void Weigh(ReadOnlySpan<float> values, float spread, Span<float> result)
    {
        for (var i = 0; i < values.Length; i++)
            result[i] = Weights[i] * MathF.Sqrt(spread + values[i] * values[i]);
    }
}
