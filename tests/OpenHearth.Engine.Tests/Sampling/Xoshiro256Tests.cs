using OpenHearth.Engine.Sampling;

namespace OpenHearth.Engine.Tests.Sampling;

public sealed class Xoshiro256Tests
{
    [Fact]
    public void Next_FromTheStateOfThePublishedVectors_GivesThem()
    {
        var random = new Xoshiro256(1, 2, 3, 4);
        ulong[] expected = [
            41943041, 58720359, 3588806011781223, 3591011842654386, 9228616714210784205, 9973669472204895162,
            14011001112246962877, 12406186145184390807, 15849039046786891736, 10450023813501588000];
        Assert.Equal(expected, expected.Select(_ => random.Next()));
    }

    [Fact]
    public void SplitMix_OfAKnownSeed_GivesThePublishedVectors()
    {
        var state = 1234567UL;
        ulong[] expected = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821];
        Assert.Equal(expected, expected.Select(_ => Xoshiro256.SplitMix(ref state)));
    }

    [Fact]
    public void NextDouble_OfManyDraws_IsUniformBelowOne()
    {
        var random = new Xoshiro256(7);
        var buckets = new int[10];
        for (var i = 0; i < 100_000; i++)
        {
            var x = random.NextDouble();
            Assert.InRange(x, 0, 0.99999999999999989);
            buckets[(int)(10 * x)]++;
        }
        Assert.All(buckets, count => Assert.InRange(count, 9600, 10400));
    }
}
