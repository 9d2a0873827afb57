using OpenHearth.Engine.Ops;

namespace OpenHearth.Engine.Tests.Ops;

public sealed class SparseMixerOpTests
{
    [Theory]
    [InlineData(-1, 0, 0.50249998)] // 1 / (1 + e^-0.01): 0.99 is within 2 % of 1
    [InlineData(0, 1, 1)] // 0.5 is not within 2 % of 0.99
    [InlineData(1, 0, 1)]
    public void Choose_WeighsAgainstWhatComesClose(int without, int expert, double weight)
    {
        var (chosen, share) = SparseMixerOp.Choose([1f, 0.99f, 0.5f, -3f], without, 0.02f);
        Assert.Equal(expert, chosen);
        Assert.Equal(weight, share, 1e-6);
    }

    [Fact]
    public void Choose_LargeNegativeMagnitudes_CountWhereTheirShareIsSmall()
    {
        // The distance counts relative to the magnitude of the logit itself: (-100 + 101) / 101 is below 2 %.
        var (chosen, share) = SparseMixerOp.Choose([-101f, -100f, -110f], -1, 0.02f);
        Assert.Equal(1, chosen);
        Assert.Equal(1 / (1 + Math.Exp(-1)), share, 1e-6);
    }
}
