namespace OpenHearth.Engine.Tests.Architectures;

/// <summary>Logits of tiny models of every family, from both forms, against transformers. A new architecture adds its folder.</summary>
public sealed class ArchitectureConformanceTests
{
    public static MatrixTheoryData<string, string> Models { get; } = new MatrixTheoryData<string, string>(
        ["llama", "llama-rope-llama3-tied", "llama-rope-yarn", "qwen2", "qwen3", "zoo"],
        ["gguf"]);

    private static readonly ModelOptions Exact = new() { Exact = true, Threads = 2 };

    [Theory]
    [MemberData(nameof(Models))]
    public void Logits_OfAllIdsAtOnce_AreTheReference(string folder, string form)
    {
        var fixture = new ArchitectureFixture(folder);
        using var model = Model.Load(fixture.Form(form), Exact);
        using var session = model.CreateSession();
        var logits = new float[fixture.Expected.Length];
        session.Step(fixture.Ids, logits);
        Assert.InRange(fixture.Error(logits), 0, 1e-4);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Logits_InPieces_AreThoseOfTheWhole(string folder, string form)
    {
        var fixture = new ArchitectureFixture(folder);
        using var model = Model.Load(fixture.Form(form), Exact);
        var whole = new float[fixture.Expected.Length];
        using (var session = model.CreateSession())
            session.Step(fixture.Ids, whole);
        foreach (var size in (int[])[1, 7, 16])
        {
            var pieces = new float[whole.Length];
            using var session = model.CreateSession();
            for (var i = 0; i < fixture.Ids.Length; i += size)
            {
                var count = Math.Min(size, fixture.Ids.Length - i);
                session.Step(fixture.Ids.AsSpan(i, count), pieces.AsSpan(i * fixture.Width, count * fixture.Width));
            }
            var error = Enumerable.Range(0, whole.Length).Max(i => Math.Abs(whole[i] - pieces[i]));
            Assert.InRange(error / StandardDeviation(whole), 0, 1e-5);
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void GreedyContinuation_WhereTheMarginIsWide_IsTheReference(string folder, string form)
    {
        var fixture = new ArchitectureFixture(folder);
        Assert.SkipWhen(fixture.GreedyIds.Length == 0, "no greedy continuation");
        using var model = Model.Load(fixture.Form(form), Exact);
        using var session = model.CreateSession();
        var logits = session.Step(fixture.Ids.AsSpan(0, fixture.GreedyPrompt));
        for (var i = 0; i < fixture.GreedyIds.Length; i++)
        {
            var best = BestOf(logits);
            if (fixture.GreedyMargins[i] > 1e-3)
                Assert.Equal(fixture.GreedyIds[i], best);
            logits = session.Step([fixture.GreedyIds[i]]);
        }
    }

    private static int BestOf(ReadOnlySpan<float> logits)
    {
        var best = 0;
        for (var i = 1; i < logits.Length; i++)
            best = logits[i] > logits[best] ? i : best;
        return best;
    }

    private static double StandardDeviation(float[] values)
    {
        var mean = values.Average(value => (double)value);
        return Math.Sqrt(values.Average(value => (value - mean) * (value - mean)));
    }
}
