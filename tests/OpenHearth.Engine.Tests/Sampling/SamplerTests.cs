using OpenHearth.Engine.Sampling;

namespace OpenHearth.Engine.Tests.Sampling;

public sealed class SamplerTests
{
    private static readonly SamplingOptions Plain = new() { Temperature = 1, TopK = 0, TopP = 1, MinP = 0, Seed = 42 };

    /// <summary>One set of options for each way through the sampler.</summary>
    private static readonly SamplingOptions[] Ways =
    [
        SamplingOptions.Greedy,
        new() { Seed = 1 },
        Plain,
        Plain with { TopP = 0.9f },
        Plain with { TypicalP = 0.9f, XtcProbability = 0.5f, XtcThreshold = 0.02f },
        Plain with { TopNSigma = 3, MinP = 0.01f },
        Plain with { MirostatTau = 4, Temperature = 0.7f },
        new() { Seed = 2, RepeatPenalty = 1.1f, FrequencyPenalty = 0.2f, PresencePenalty = 0.1f, DryMultiplier = 0.8f, LogitBias = new Dictionary<int, float> { [3] = 2 } },
        SamplingOptions.Greedy with { RepeatPenalty = 1.3f },
    ];

    [Fact]
    public void Next_WithTemperatureZero_TakesTheFirstHighest()
    {
        var logits = Logits(1, 1000);
        logits[700] = logits[300] = 50;
        Assert.Equal(300, new Sampler(SamplingOptions.Greedy, 1000).Next(logits));
        Assert.Equal(700, new Sampler(SamplingOptions.Greedy with { LogitBias = new Dictionary<int, float> { [300] = -1 } }, 1000).Next(logits));
    }

    [Fact]
    public void Next_OfManyDraws_FollowsTheProbabilities()
    {
        float[] logits = [0, MathF.Log(2), float.NegativeInfinity, MathF.Log(5), MathF.Log(2)];
        var sampler = new Sampler(Plain, logits.Length);
        var counts = new int[logits.Length];
        for (var i = 0; i < 100_000; i++)
            counts[sampler.Next(logits)]++;
        Assert.Equal(0, counts[2]);
        foreach (var (count, expected) in counts.Zip([10_000, 20_000, 0, 50_000, 20_000]))
            Assert.InRange(count, expected - 600, expected + 600);
    }

    [Fact]
    public void Next_WithASeed_GivesTheSameTokensOnEveryThread()
    {
        foreach (var options in Ways)
        {
            var expected = Tokens(options);
            var runs = new int[8][];
            Parallel.For(0, runs.Length, i => runs[i] = Tokens(options));
            Assert.All(runs, run => Assert.Equal(expected, run));
        }
    }

    [Fact]
    public void Next_WithASeed_GivesTheTokensOfEveryPlatform()
    {
        // Recorded once: the promise that a seed means the same tokens on every machine.
        Assert.Equal(Golden, Tokens(Plain with { Temperature = 0.9f, TopP = 0.95f, Seed = 42 })[..12]);
    }

    [Fact]
    public void Seed_WhereNoneIsGiven_IsPickedAndRepeatsTheRun()
    {
        var first = new Sampler(Plain with { Seed = null }, 500);
        var other = new Sampler(Plain with { Seed = null }, 500);
        var again = new Sampler(Plain with { Seed = first.Seed }, 500);
        Assert.NotEqual(first.Seed, other.Seed);
        for (var i = 0; i < 50; i++)
            Assert.Equal(first.Next(Logits(i, 500)), again.Next(Logits(i, 500)));
    }

    [Fact]
    public void Next_AfterWarmUp_AllocatesNothing()
    {
        var rows = Enumerable.Range(0, 8).Select(i => Logits(i, 5000)).ToArray();
        foreach (var options in Ways)
        {
            var sampler = new Sampler(options, 5000);
            Run(sampler, rows, 3000);
            var before = GC.GetAllocatedBytesForCurrentThread();
            Run(sampler, rows, 200);
            Assert.Equal((options, 0), (options, GC.GetAllocatedBytesForCurrentThread() - before));
        }
    }

    [Fact]
    public void Next_WithATinyTemperature_TakesTheHighest()
    {
        var logits = Logits(5, 300);
        var sampler = new Sampler(Plain with { Temperature = float.Epsilon }, 300);
        for (var i = 0; i < 20; i++)
            Assert.Equal(Argmax.Of(logits), sampler.Next(logits));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Next_OfUnusableLogits_ExplainsItself(float temperature)
    {
        var sampler = new Sampler(Plain with { Temperature = temperature }, 3);
        Assert.Contains("NaN", Assert.Throws<NotFiniteNumberException>(() => sampler.Next([0, float.NaN, 1])).Message, StringComparison.Ordinal);
        Assert.Throws<NotFiniteNumberException>(() => sampler.Next([float.NegativeInfinity, float.NegativeInfinity, float.NegativeInfinity]));
        Assert.Throws<ArgumentException>(() => sampler.Next([1, 2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => sampler.Accept(3));
    }

    private static readonly int[] Golden = [2817, 221, 1169, 647, 1299, 1884, 2013, 862, 1776, 2993, 2825, 948];

    private static void Run(Sampler sampler, float[][] rows, int tokens)
    {
        for (var i = 0; i < tokens; i++)
            sampler.Accept(sampler.Next(rows[i % rows.Length]));
    }

    private static int[] Tokens(SamplingOptions options)
    {
        var sampler = new Sampler(options, 3001);
        return [.. Enumerable.Range(0, 60).Select(i =>
        {
            var token = sampler.Next(Logits(i, 3001));
            sampler.Accept(token);
            return token;
        })];
    }

    /// <summary>Nearly normal logits with a few high ones, from integers only.</summary>
    private static float[] Logits(int seed, int length)
    {
        var random = new Xoshiro256((ulong)seed);
        var logits = new float[length];
        foreach (ref var logit in logits.AsSpan())
        {
            var sum = 0L;
            for (var i = 0; i < 4; i++)
                sum += (long)(random.Next() >> 48);
            logit = (sum - 131_072) / 16_384f + (random.Next() % 1000 == 0 ? 6 : 0);
        }
        return logits;
    }
}
