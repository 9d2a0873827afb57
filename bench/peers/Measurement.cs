using System.Globalization;

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

    /// <summary>A ratio of two medians for the table, or that it says nothing.</summary>
    /// <param name="ratio">The ratio.</param>
    /// <param name="a">What it is of.</param>
    /// <param name="b">What it is of.</param>
    /// <param name="bound">Largest spread at which it is printed.</param>
    public static string Ratio(double ratio, Measurement a, Measurement b, double bound) =>
        a.Spread <= bound && b.Spread <= bound ? ratio.ToString("0.00", CultureInfo.InvariantCulture) : "disturbed";
}
