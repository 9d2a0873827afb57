namespace OpenHearth.Engine.Tests.Architectures;

/// <summary>Sessions of families that carry state from token to token: going back, forking, sharing a step with others.</summary>
public sealed class RecurrentSessionTests
{
    public static TheoryData<string> Folders { get; } = ["lfm2", "mamba2", "granite-hybrid", "qwen3next", "qwen3.5", "qwen3.5moe", "kimi-linear", "rwkv4"];

    [Theory]
    [MemberData(nameof(Folders))]
    public void Truncate_ToTheMiddle_GoesOnAsTheWhole(string folder)
    {
        var (fixture, model, whole) = Open(folder);
        using (model)
        {
            using var session = model.CreateSession();
            session.Step(fixture.Ids);
            foreach (var length in (int[])[30, 17, 1])
            {
                session.Truncate(length);
                Assert.Equal(length, session.Length);
                AssertIsWhole(fixture, whole, session.Step(fixture.Ids.AsSpan(length, 5)), length + 4);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Fork_WhenBothGoOn_KeepsEachItsOwn(string folder)
    {
        var (fixture, model, whole) = Open(folder);
        using (model)
        {
            using var session = model.CreateSession();
            session.Step(fixture.Ids.AsSpan(0, 20));
            using var fork = session.Fork();
            fork.Step([1, 2, 3]);
            AssertIsWhole(fixture, whole, session.Step(fixture.Ids.AsSpan(20, 10)), 29);
            fork.Truncate(20);
            AssertIsWhole(fixture, whole, fork.Step(fixture.Ids.AsSpan(20, 20)), 39);
        }
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Load_OfASavedSession_GoesOnForksAndGoesBack(string folder)
    {
        var (fixture, model, whole) = Open(folder);
        using (model)
        {
            var path = Path.Combine(Path.GetTempPath(), $"hearth-{Guid.NewGuid():N}.session");
            using (var session = model.CreateSession())
            {
                session.Step(fixture.Ids.AsSpan(0, 20));
                session.Save(path, TestContext.Current.CancellationToken);
            }
            using var loaded = model.LoadSession(path, 0, TestContext.Current.CancellationToken);
            File.Delete(path);
            using var fork = loaded.Fork();
            AssertIsWhole(fixture, whole, loaded.Step(fixture.Ids.AsSpan(20, 10)), 29);
            fork.Truncate(13);
            AssertIsWhole(fixture, whole, fork.Step(fixture.Ids.AsSpan(13, 4)), 16);
        }
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Step_OfABatch_KeepsSequencesApart(string folder)
    {
        var (fixture, model, whole) = Open(folder);
        using (model)
        {
            using Session first = model.CreateSession(), second = model.CreateSession();
            second.Step(fixture.Ids.AsSpan(0, 10));
            using var batch = new Batch();
            batch.Add(first, fixture.Ids.AsSpan(0, 9));
            batch.Add(second, fixture.Ids.AsSpan(10, 2));
            model.Step(batch);
            AssertIsWhole(fixture, whole, batch.Results(0), 8);
            AssertIsWhole(fixture, whole, batch.Results(1), 11);
        }
    }

    private static (ArchitectureFixture Fixture, Model Model, float[] Whole) Open(string folder)
    {
        var fixture = new ArchitectureFixture(folder);
        var model = Model.Load(fixture.Form("safetensors"), new ModelOptions { Exact = true, Threads = 2 });
        var whole = new float[fixture.Expected.Length];
        using var session = model.CreateSession();
        session.Step(fixture.Ids, whole);
        return (fixture, model, whole);
    }

    private static void AssertIsWhole(ArchitectureFixture fixture, float[] whole, ReadOnlySpan<float> logits, int row)
    {
        var error = LogitComparison.Error(whole.AsSpan(row * fixture.Width, fixture.Width).ToArray(), logits.ToArray());
        Assert.True(error <= 1e-5, $"token {row}: error {error:E1} of the standard deviation");
    }
}
