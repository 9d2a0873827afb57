using OpenHearth.Engine.Sampling;

namespace OpenHearth.Engine.Tests.Sampling;

public sealed class MirostatTests
{
    // 2^0, 2^-1, … 2^-9, renormalized: token i has i + 0.9993 bits of surprise.
    private static readonly float[] Halves = [.. Enumerable.Range(0, 10).Select(i => (float)(-i * Math.Log(2)))];

    [Fact]
    public void Apply_AtTheStart_KeepsSurprisesUpToTwiceTheTarget()
    {
        var candidates = new Candidates(Halves.Length);
        candidates.Load(Halves);
        new Mirostat(2, 0.1f).Apply(candidates);
        Assert.Equal([0, 1, 2, 3], candidates.Ids.ToArray());
    }

    [Fact]
    public void Observe_OfATokensProbability_MovesTheLimitByTheRate()
    {
        var candidates = new Candidates(Halves.Length);
        var mirostat = new Mirostat(2, 0.5f);
        // Surprise 5 bits against 2: μ = 4 − 0.5·3 = 2.5.
        mirostat.Observe(1 / 32.0);
        candidates.Load(Halves);
        mirostat.Apply(candidates);
        Assert.Equal([0, 1], candidates.Ids.ToArray());
        // Then 0.5 bits: μ = 2.5 + 0.5·1.5 = 3.25.
        mirostat.Observe(Math.Sqrt(0.5));
        candidates.Load(Halves);
        mirostat.Apply(candidates);
        Assert.Equal([0, 1, 2], candidates.Ids.ToArray());
    }

    [Fact]
    public void Apply_WithAnExhaustedLimit_KeepsTheBest()
    {
        var candidates = new Candidates(Halves.Length);
        var mirostat = new Mirostat(0.1f, 1);
        mirostat.Observe(1e-9);
        candidates.Load(Halves);
        mirostat.Apply(candidates);
        Assert.Equal([0], candidates.Ids.ToArray());
    }

    [Fact]
    public void Next_OverManyTokens_MeetsTheTargetSurprise()
    {
        const float Tau = 3;
        var random = new Random(11);
        var logits = new float[2000];
        var sampler = new Sampler(new SamplingOptions { Temperature = 1, MirostatTau = Tau, Seed = 3 }, logits.Length);
        var surprise = 0.0;
        const int Tokens = 1500;
        for (var step = 0; step < Tokens; step++)
        {
            for (var i = 0; i < logits.Length; i++)
                logits[i] = (float)(-1.2 * Math.Log(1 + i) + random.NextDouble());
            var total = sampler.Narrow(logits, new Candidates(logits.Length)).Weights(out var sum).Length;
            Assert.InRange(total, 1, logits.Length);
            var token = sampler.Next(logits);
            surprise -= Math.Log2(Math.Exp(logits[token] - logits.Max()) / sum);
        }
        Assert.Equal(Tau, surprise / Tokens, 0.25);
    }
}
