using OpenHearth.Engine.Sampling;

namespace OpenHearth.Engine.Tests.Sampling;

public sealed class DryTests
{
    private static readonly HashSet<int> Breakers = [5];

    [Fact]
    public void Apply_OnRandomTokens_EqualsTheDefinition()
    {
        var options = new SamplingOptions { DryMultiplier = 0.5f, DryBase = 1.5f, DryAllowedLength = 2, DryLastN = 50 };
        var random = new Random(3);
        var penalized = 0;
        for (var round = 0; round < 400; round++)
        {
            var history = new TokenHistory(50, 6);
            var tokens = new List<int>();
            for (var i = random.Next(90); i > 0; i--)
            {
                // Few distinct tokens and rare breakers: many repetitions.
                tokens.Add(random.Next(20) == 0 ? 5 : random.Next(round % 4 + 1));
                history.Add(tokens[^1]);
            }
            var logits = new float[6];
            new Dry(options, Breakers).Apply(logits, history);
            var expected = Definition([.. tokens.TakeLast(50)], options);
            penalized += expected.Count(x => x != 0);
            for (var i = 0; i < 6; i++)
                Assert.Equal(expected[i], logits[i], 1e-5f * Math.Abs(expected[i]));
        }
        Assert.True(penalized > 100);
    }

    [Fact]
    public void Apply_OnOneTokenOverAndOver_StaysFinite()
    {
        var options = new SamplingOptions { DryMultiplier = 1000, DryBase = 100, DryLastN = 100_000 };
        var history = new TokenHistory(options.DryLastN, 2);
        for (var i = 0; i < 100_000; i++)
            history.Add(1);
        var logits = new float[2];
        new Dry(options, Breakers).Apply(logits, history);
        Assert.Equal(0, logits[0]);
        Assert.Equal(-1e6f, logits[1]);
    }

    private static float[] Definition(int[] tokens, SamplingOptions options)
    {
        var longest = new int[6];
        for (var next = 1; next < tokens.Length; next++)
        {
            var run = 0;
            while (run < next && tokens[next - 1 - run] == tokens[^(1 + run)] && tokens[^(1 + run)] != 5)
                run++;
            longest[tokens[next]] = Math.Max(longest[tokens[next]], run);
        }
        return [.. longest.Select((run, token) => token == 5 || run < options.DryAllowedLength
            ? 0
            : -(float)Math.Min(1e6, options.DryMultiplier * Math.Pow(options.DryBase, run - options.DryAllowedLength)))];
    }
}
