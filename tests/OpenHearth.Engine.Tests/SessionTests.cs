namespace OpenHearth.Engine.Tests;

/// <summary>Sessions, batches and the cache, on a model small enough to make here.</summary>
public sealed class SessionTests : IDisposable
{
    private static readonly int[] Ids = [.. Enumerable.Range(0, 150).Select(i => ((i * 37) + 11) % TinyLlama.Vocabulary)];

    private readonly TinyLlama _file = new();
    private readonly Model _model;

    public SessionTests() => _model = Model.Load(_file.Path, new ModelOptions { Exact = true, Threads = 2, MaximumStepTokens = 48 });

    public void Dispose()
    {
        _model.Dispose();
        _file.Dispose();
    }

    [Fact]
    public void Step_OfAPromptLongerThanAStep_IsCutWithoutATrace()
    {
        using var whole = Model.Load(_file.Path, new ModelOptions { Exact = true, Threads = 1, MaximumStepTokens = 512 });
        var expected = Logits(whole, Ids);
        Assert.InRange(LogitComparison.Error(expected, Logits(_model, Ids)), 0, 1e-5);
    }

    [Fact]
    public void Step_OnAnyNumberOfThreads_GivesTheSameBits()
    {
        using var one = Model.Load(_file.Path, new ModelOptions { Threads = 1 });
        using var three = Model.Load(_file.Path, new ModelOptions { Threads = 3 }, fuse: true); // whatever cores there are
        Assert.Equal(3, three.Threads);
        Assert.Equal(Logits(one, Ids), Logits(three, Ids));
    }

    [Fact]
    public void Load_ForMoreThreadsThanThereAreCores_TakesTheCores()
    {
        using var model = Model.Load(_file.Path, new ModelOptions { Threads = 1024 });
        Assert.Equal(Computer.Cores, model.Threads);
    }

    [Fact]
    public void Step_ForTheLastRows_GivesThoseOfAll()
    {
        var all = Logits(_model, Ids);
        using var session = _model.CreateSession();
        var some = new float[5 * TinyLlama.Vocabulary];
        session.Step(Ids, some);
        Assert.InRange(LogitComparison.Error(all.AsSpan(all.Length - some.Length), some), 0, 1e-6);
    }

    [Fact]
    public void Truncate_ThenOtherTokens_IsAsIfTheyHadComeFirst()
    {
        foreach (var length in (int[])[0, 1, 63, 64, 65, 130])
        {
            using var session = _model.CreateSession();
            session.Step(Ids);
            session.Truncate(length);
            var continued = session.Step([5, 6, 7]).ToArray();
            Assert.Equal(length + 3, session.Length);
            using var fresh = _model.CreateSession();
            Assert.InRange(LogitComparison.Error(fresh.Step([.. Ids[..length], 5, 6, 7]), continued), 0, 1e-5);
        }
    }

    [Fact]
    public void Fork_WhenBothGoOn_LeavesEachItsOwn()
    {
        using var session = _model.CreateSession();
        session.Step(Ids.AsSpan(0, 100));
        var blocks = _model.Blocks.InUse;
        using var fork = session.Fork();
        Assert.Equal(blocks, _model.Blocks.InUse);
        var forked = fork.Step([1, 2, 3]).ToArray();
        var continued = session.Step([9, 8]).ToArray();
        Assert.Equal(blocks + 1, _model.Blocks.InUse);
        Assert.InRange(LogitComparison.Error(Last([.. Ids[..100], 1, 2, 3]), forked), 0, 1e-5);
        Assert.InRange(LogitComparison.Error(Last([.. Ids[..100], 9, 8]), continued), 0, 1e-5);
    }

    [Fact]
    public void Dispose_OfSessions_ReturnsTheirBlocks()
    {
        var session = _model.CreateSession();
        session.Step(Ids);
        var fork = session.Fork();
        session.Dispose();
        Assert.Equal(3, _model.Blocks.InUse);
        fork.Dispose();
        Assert.Equal(0, _model.Blocks.InUse);
    }

    [Fact]
    public void Batch_OfManySessions_GivesEachWhatItGetsAlone()
    {
        using var batch = new Batch();
        Session[] sessions = [_model.CreateSession(), _model.CreateSession(), _model.CreateSession(), _model.CreateSession()];
        sessions[1].Step(Ids.AsSpan(0, 70));
        batch.Add(sessions[0], Ids.AsSpan(0, 60));
        batch.Add(sessions[1], Ids.AsSpan(70, 1));
        batch.Add(sessions[2], Ids.AsSpan(0, 5), 0);
        batch.Add(sessions[3], Ids.AsSpan(20, 40), 3);
        _model.Step(batch);
        Assert.InRange(LogitComparison.Error(Last(Ids[..60]), batch.Results(0)), 0, 1e-5);
        Assert.InRange(LogitComparison.Error(Last(Ids[..71]), batch.Results(1)), 0, 1e-5);
        Assert.InRange(LogitComparison.Error(Last(Ids[20..58]), batch.Results(3)), 0, 1e-5);
        Assert.InRange(LogitComparison.Error(Last(Ids[20..60]), batch.Results(3, 2)), 0, 1e-5);
        Assert.Equal([60, 71, 5, 40], sessions.Select(session => session.Length));
        Array.ForEach(sessions, session => session.Dispose());
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 40)]
    [InlineData(5, 1)]
    [InlineData(3, 7)]
    public void Step_OnceWarm_AllocatesNothing(int sequences, int tokens)
    {
        // One thread, so that all of the work happens on the thread that is watched.
        using var model = Model.Load(_file.Path, new ModelOptions { Threads = 1 });
        var sessions = Enumerable.Range(0, sequences).Select(_ => model.CreateSession()).ToArray();
        using var batch = new Batch();
        Steps();
        foreach (var session in sessions)
            session.Truncate(0);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Steps();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Array.ForEach(sessions, session => session.Dispose());

        void Steps()
        {
            for (var length = 0; length + tokens <= 80; length += tokens)
            {
                batch.Clear();
                foreach (var session in sessions)
                    batch.Add(session, Ids.AsSpan(length, tokens), rows: Math.Min(tokens, 3));
                model.Step(batch);
            }
        }
    }

    [Fact]
    public void Step_BeyondTheContext_IsRefusedWithNumbersAndTakesNothingIn()
    {
        using var session = _model.CreateSession(16);
        session.Step(Ids.AsSpan(0, 10));
        var failure = Assert.Throws<ContextOverflowException>(() => session.Step(Ids.AsSpan(0, 7)));
        Assert.Equal("10 tokens and 7 more don't fit a context of 16.", failure.Message);
        Assert.Equal(10, session.Length);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(TinyLlama.Vocabulary)]
    public void Step_WithATokenOutsideTheVocabulary_IsRefused(int token)
    {
        using var session = _model.CreateSession();
        Assert.Throws<ArgumentOutOfRangeException>(() => session.Step([1, token]));
        Assert.Equal(0, session.Length);
    }

    [Fact]
    public void CreateSession_LongerThanTheModel_IsRefusedWithNumbers()
    {
        var failure = Assert.Throws<ContextOverflowException>(() => _model.CreateSession(TinyLlama.Context + 1));
        Assert.Contains($"{TinyLlama.Context + 1}", failure.Message, StringComparison.Ordinal);
        Assert.Contains($"{TinyLlama.Context}.", failure.Message, StringComparison.Ordinal);
        Assert.Contains("--ctx", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CreateSession_LongerThanTheModelWhereTheOptionsAskForIt_GoesOnBeyond()
    {
        using var longer = Model.Load(_file.Path, new ModelOptions { Exact = true, ContextLength = 2 * TinyLlama.Context });
        Assert.Equal(2 * TinyLlama.Context, longer.LongestContext);
        int[] ids = [.. Ids, .. Ids];
        using var session = longer.CreateSession();
        Assert.Equal(2 * TinyLlama.Context, session.ContextLength);
        session.Step(ids.AsSpan(0, TinyLlama.Context));
        // The numbers are those of the same weights in a file that says more of itself.
        using var file = new TinyLlama(context: 2 * TinyLlama.Context);
        using var made = Model.Load(file.Path, new ModelOptions { Exact = true });
        using var expected = made.CreateSession();
        expected.Step(ids.AsSpan(0, TinyLlama.Context));
        Assert.Equal(expected.Step(ids.AsSpan(TinyLlama.Context)), session.Step(ids.AsSpan(TinyLlama.Context)));
        var failure = Assert.Throws<ContextOverflowException>(() => longer.CreateSession((2 * TinyLlama.Context) + 1));
        Assert.Contains($"was made for {TinyLlama.Context}, and {2 * TinyLlama.Context} are allowed.", failure.Message, StringComparison.Ordinal);
        Assert.Equal(2 * TinyLlama.Context, longer.PredictMemory(2 * TinyLlama.Context).Context);
    }

    [Fact]
    public void CreateSession_LongerThanATableOfPositions_IsRefusedWithTheReason()
    {
        using var file = new TinyBert();
        using var model = Model.Load(file.Path, new ModelOptions { ContextLength = TinyBert.Context + 1 });
        Assert.Equal(TinyBert.Context, model.LongestContext);
        var failure = Assert.Throws<ContextOverflowException>(() => model.CreateSession());
        Assert.Contains("table of positions", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("--ctx", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Sessions_OnManyThreads_GiveWhatTheyGiveAlone()
    {
        var expected = Last(Ids[..40]);
        Parallel.For(0, 8, _ =>
        {
            using var session = _model.CreateSession();
            for (var i = 0; i < 39; i++)
                session.Step(Ids.AsSpan(i, 1));
            Assert.InRange(LogitComparison.Error(expected, session.Step(Ids.AsSpan(39, 1))), 0, 1e-5);
        });
    }

    private float[] Last(int[] ids)
    {
        using var session = _model.CreateSession();
        return session.Step(ids).ToArray();
    }

    private static float[] Logits(Model model, int[] ids)
    {
        using var session = model.CreateSession();
        var logits = new float[ids.Length * TinyLlama.Vocabulary];
        session.Step(ids, logits);
        return logits;
    }
}
