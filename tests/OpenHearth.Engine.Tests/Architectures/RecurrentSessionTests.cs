namespace OpenHearth.Engine.Tests.Architectures;

/// <summary>Sessions of families that carry state from token to token: going back, forking, sharing a step with others.</summary>
public sealed class RecurrentSessionTests
{
    private const string Rwkv7 = "rwkv7"; // has no folder among the fixtures

    public static TheoryData<string> Folders { get; } = [Rwkv7, "lfm2", "mamba2", "granite-hybrid", "qwen3next", "qwen3.5", "qwen3.5moe", "kimi-linear", "rwkv4"];

    [Theory]
    [MemberData(nameof(Folders))]
    public void Truncate_ToTheMiddle_GoesOnAsTheWhole(string folder)
    {
        var (ids, model, whole) = Open(folder);
        using (model)
        {
            using var session = model.CreateSession();
            session.Step(ids);
            foreach (var length in (int[])[30, 17, 1])
            {
                session.Truncate(length);
                Assert.Equal(length, session.Length);
                AssertIsWhole(whole, session.Step(ids.AsSpan(length, 5)), length + 4);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Fork_WhenBothGoOn_KeepsEachItsOwn(string folder)
    {
        var (ids, model, whole) = Open(folder);
        using (model)
        {
            using var session = model.CreateSession();
            session.Step(ids.AsSpan(0, 20));
            using Session fork = session.Fork(), straight = session.Fork();
            fork.Step([1, 2, 3]);
            AssertIsWhole(whole, straight.Step(ids.AsSpan(20, 4)), 23);
            AssertIsWhole(whole, session.Step(ids.AsSpan(20, 10)), 29);
            fork.Truncate(20);
            AssertIsWhole(whole, fork.Step(ids.AsSpan(20, 20)), 39);
        }
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Load_OfASavedSession_GoesOnForksAndGoesBack(string folder)
    {
        var (ids, model, whole) = Open(folder);
        using (model)
        {
            var path = Path.Combine(Path.GetTempPath(), $"hearth-{Guid.NewGuid():N}.session");
            using (var session = model.CreateSession())
            {
                session.Step(ids.AsSpan(0, 20));
                session.Save(path, TestContext.Current.CancellationToken);
            }
            using var loaded = model.LoadSession(path, 0, TestContext.Current.CancellationToken);
            File.Delete(path);
            using var fork = loaded.Fork();
            AssertIsWhole(whole, loaded.Step(ids.AsSpan(20, 10)), 29);
            fork.Truncate(13);
            AssertIsWhole(whole, fork.Step(ids.AsSpan(13, 4)), 16);
        }
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Step_OfABatch_KeepsSequencesApart(string folder)
    {
        var (ids, model, whole) = Open(folder);
        using (model)
        {
            using Session first = model.CreateSession(), second = model.CreateSession();
            second.Step(ids.AsSpan(0, 10));
            using var batch = new Batch();
            batch.Add(first, ids.AsSpan(0, 9));
            batch.Add(second, ids.AsSpan(10, 2));
            model.Step(batch);
            AssertIsWhole(whole, batch.Results(0), 8);
            AssertIsWhole(whole, batch.Results(1), 11);
        }
    }

    private static (int[] Ids, Model Model, float[][] Whole) Open(string folder)
    {
        var options = new ModelOptions { Exact = true, Threads = 2 };
        var fixture = folder == Rwkv7 ? null : new ArchitectureFixture(folder);
        int[] ids = fixture?.Ids ?? [.. "\"in the beginning\", he said, and went on to say more".Select(letter => (int)letter)];
        var model = Model.Load(fixture?.Form("safetensors") ?? Fixtures.Path("models/tiny_rwkv/tiny-rwkv-7v0-834K-FP32.bin"), options);
        using var session = model.CreateSession();
        var logits = new float[ids.Length * model.Info.VocabularySize];
        session.Step(ids, logits);
        return (ids, model, [.. logits.Chunk(model.Info.VocabularySize)]);
    }

    private static void AssertIsWhole(float[][] whole, ReadOnlySpan<float> logits, int row)
    {
        var error = LogitComparison.Error(whole[row], logits.ToArray());
        Assert.True(error <= 1e-5, $"token {row}: error {error:E1} of the standard deviation");
    }
}
