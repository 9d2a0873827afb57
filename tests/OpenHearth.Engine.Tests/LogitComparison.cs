namespace OpenHearth.Engine.Tests;

/// <summary>Distances between results.</summary>
internal static class LogitComparison
{
    /// <summary>Largest difference over the standard deviation of what is expected; infinite where a result is not finite.</summary>
    public static double Error(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        double sum = 0, squares = 0, largest = 0;
        for (var i = 0; i < expected.Length; i++)
        {
            sum += expected[i];
            squares += (double)expected[i] * expected[i];
            largest = Math.Max(largest, float.IsFinite(actual[i]) ? Math.Abs(actual[i] - (double)expected[i]) : double.PositiveInfinity);
        }
        var mean = sum / expected.Length;
        return largest / Math.Sqrt((squares / expected.Length) - (mean * mean));
    }

    /// <summary>Index of the largest value.</summary>
    public static int Best(ReadOnlySpan<float> logits)
    {
        var best = 0;
        for (var i = 1; i < logits.Length; i++)
            best = logits[i] > logits[best] ? i : best;
        return best;
    }
}
