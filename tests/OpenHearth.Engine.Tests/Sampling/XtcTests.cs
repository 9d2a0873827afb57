using OpenHearth.Engine.Sampling;

namespace OpenHearth.Engine.Tests.Sampling;

public sealed class XtcTests
{
    [Theory]
    [InlineData(new[] { 0.5, 0.3, 0.15, 0.05 }, 0.1f, new[] { 2, 3 })]
    [InlineData(new[] { 0.05, 0.15, 0.3, 0.5 }, 0.1f, new[] { 0, 1 })]
    [InlineData(new[] { 0.7, 0.05, 0.15, 0.1 }, 0.5f, new[] { 0, 1, 2, 3 })]
    [InlineData(new[] { 0.4, 0.3, 0.2, 0.1 }, 0.5f, new[] { 0, 1, 2, 3 })]
    [InlineData(new[] { 0.25, 0.25, 0.25, 0.25 }, 0.2f, new[] { 3 })]
    public void Apply_WithCertainty_KeepsTheLeastOfTheTopChoices(double[] probabilities, float threshold, int[] expected)
    {
        var candidates = new Candidates(probabilities.Length);
        candidates.Load([.. probabilities.Select(p => (float)Math.Log(p))]);
        new Xtc(1, threshold, new Xoshiro256(1)).Apply(candidates);
        Assert.Equal(expected, candidates.Ids.ToArray());
    }

    [Fact]
    public void Apply_WithAChance_ActsThatOften()
    {
        var random = new Xoshiro256(5);
        var xtc = new Xtc(0.3f, 0.1f, random);
        var candidates = new Candidates(2);
        var acted = 0;
        for (var i = 0; i < 10_000; i++)
        {
            candidates.Load([1, 0]);
            xtc.Apply(candidates);
            acted += candidates.Count == 1 ? 1 : 0;
        }
        Assert.InRange(acted, 2800, 3200);
    }
}
