using OpenHearth.Engine.SelfTesting;

namespace OpenHearth.Engine.Tests.SelfTesting;

public sealed class DeviationTests
{
    [Theory]
    [InlineData(1f, 1f, 0)]
    [InlineData(1.01f, 1f, 1)]
    [InlineData(0.02f, 0f, 2)]
    [InlineData(202f, 200f, 1)]
    public void Largest_Difference_IsMeasuredInWhatIsAllowed(float a, float b, double expected) =>
        Assert.Equal(expected, Deviation.Largest([b, a], [b, b], 0.01), 4);

    [Fact]
    public void Largest_NaN_NeverPasses() => Assert.False(new SelfTestResult("x", "x", Deviation.Largest([float.NaN, 1], [1, 1], 0.01)).Passed);

    [Fact]
    public void Normal_Numbers_HaveMeanZeroAndDeviationOne()
    {
        var values = Deviation.Normal(1, 10_000);
        Assert.Equal(0, values.Average(), 0.05);
        Assert.Equal(1, Math.Sqrt(values.Average(value => (double)value * value)), 0.05);
    }
}
