using OpenHearth.Engine.Architectures;

namespace OpenHearth.Engine.Tests.Architectures;

public class AlibiTests
{
    [Fact]
    public void Slopes_OfAPowerOfTwo_AreGeometric() =>
        Assert.Equal([0.5f, 0.25f, 0.125f, 0.0625f, 0.03125f, 0.015625f, 0.0078125f, 0.00390625f], Alibi.Slopes(8));

    [Fact]
    public void Slopes_OfOtherNumbers_FillTheGapsOfTheNextPower()
    {
        var doubled = Alibi.Slopes(8);
        Assert.Equal([doubled[1], doubled[3], doubled[5], doubled[7], doubled[0], doubled[2]], Alibi.Slopes(6));
    }

    [Fact]
    public void Slopes_OfASteepness_EndAtIt() => Assert.Equal([0.25f, 0.0625f, 0.015625f, 0.00390625f], Alibi.Slopes(4, 8));
}
