using OpenHearth.Peers;

namespace OpenHearth.Repo.Tests;

/// <summary>bench/peers prints no ratio of rounds that somebody disturbed.</summary>
public sealed class MeasurementTests
{
    private static readonly double[] Quiet = [1.00, 1.02, 0.99, 1.01, 1.03];

    [Theory]
    [InlineData("1.25", 1.00, 1.02, 0.99, 1.01, 1.03)]
    [InlineData("1.25", 1.00, 1.02, 0.99, 1.01, 9.00)] // one round may be
    [InlineData("disturbed", 1.00, 1.02, 0.99, 9.00, 9.00)]
    [InlineData("disturbed", 1.00, 1.02, 0.99, 1.20, 1.20)]
    [InlineData("disturbed", 0.50, 0.50, 0.99, 1.01, 1.00)]
    public void Ratio_OfRounds_IsPrintedWhereTheirMiddleHalfIsClose(string expected, params double[] rounds)
    {
        Assert.Equal(expected, Measurement.Ratio(1.25, Measured(rounds), Measured(Quiet), 0.15));
        Assert.Equal(expected, Measurement.Ratio(1.25, Measured(Quiet), Measured(rounds), 0.15));
    }

    [Fact]
    public void Spread_OfRounds_IsAShareOfTheMedian()
    {
        var measured = Measured([4, 1, 2, 3, 5]);
        Assert.Equal(3, measured.Median);
        Assert.Equal(2.0 / 3, measured.Spread, 1e-12);
    }

    private static Measurement Measured(double[] rounds)
    {
        var measurement = new Measurement();
        foreach (var seconds in rounds)
            measurement.Add(seconds);
        return measurement;
    }
}
