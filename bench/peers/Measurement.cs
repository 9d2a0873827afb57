namespace OpenHearth.Peers;

/// <summary>Seconds that one engine took for the same work in every round.</summary>
internal sealed class Measurement
{
    private readonly List<double> _seconds = [];

    /// <summary>Adds a round.</summary>
    public void Add(double seconds) => _seconds.Add(seconds);

    /// <summary>The middle round.</summary>
    public double Median => _seconds.Order().ElementAt(_seconds.Count / 2);

    /// <summary>
    /// How far the middle half of the rounds lies apart, as a share of the median: a round that a neighbour disturbed
    /// must not decide, and when half of them are disturbed no ratio is worth printing.
    /// </summary>
    public double Spread
    {
        get
        {
            var sorted = _seconds.Order().ToArray();
            return (sorted[sorted.Length * 3 / 4] - sorted[sorted.Length / 4]) / Median;
        }
    }
}
