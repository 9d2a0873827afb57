using OpenHearth.Engine.KvCache;

namespace OpenHearth.Engine.Tests.KvCache;

/// <summary>Sessions on disk: what comes back is what was saved, and nothing comes back of anything else.</summary>
public sealed class SessionFileTests : IDisposable
{
    private static readonly int[] Ids = [.. Enumerable.Range(0, 600).Select(i => ((i * 37) + (i / 61)) % TinyLlama.Vocabulary)];

    private readonly string _path = Path.Combine(Path.GetTempPath(), $"hearth-{Guid.NewGuid():N}.session");

    public void Dispose() => File.Delete(_path);

    [Theory]
    [InlineData(0, null)]
    [InlineData(0, CacheType.Q4_0)]
    [InlineData(70, null)]
    [InlineData(70, CacheType.Q8_0)]
    [InlineData(70, CacheType.Q4_0)]
    public void Load_OfWhatWasSaved_GoesOnAsTheSession(int window, CacheType? type)
    {
        using var file = new TinyLlama(context: 1024, window: window);
        var options = new ModelOptions { Threads = 1, MaximumStepTokens = 64, CachedKeys = type, CachedValues = type };
        float[] expected, shortened;
        using (var model = Model.Load(file.Path, options))
        {
            using var session = model.CreateSession();
            session.Step(Ids);
            session.Save(_path, TestContext.Current.CancellationToken);
            using var fork = session.Fork();
            fork.Truncate(100);
            shortened = fork.Step([4]).ToArray();
            expected = session.Step([1, 2, 3]).ToArray();
        }
        using (var model = Model.Load(file.Path, options))
        {
            using var session = model.LoadSession(_path, 0, TestContext.Current.CancellationToken);
            Assert.Equal(Ids.Length, session.Length);
            using var fork = session.Fork();
            Assert.Equal(expected, session.Step([1, 2, 3]));
            fork.Truncate(100);
            Assert.Equal(shortened, fork.Step([4]));
        }
    }

    [Fact]
    public void Load_OfAnEmptySession_IsEmpty()
    {
        using var file = new TinyLlama();
        using var model = Model.Load(file.Path);
        using (var session = model.CreateSession())
            session.Save(_path, TestContext.Current.CancellationToken);
        using var loaded = model.LoadSession(_path, 0, TestContext.Current.CancellationToken);
        Assert.Equal(0, loaded.Length);
        using var fresh = model.CreateSession();
        Assert.Equal(fresh.Step([1, 2]), loaded.Step([1, 2]));
    }

    [Fact]
    public void Load_OfADamagedFile_IsRefused_AndTakesNoMemory()
    {
        using var file = new TinyLlama(context: 1024, window: 70);
        using var model = Model.Load(file.Path, new ModelOptions { Threads = 1, MaximumStepTokens = 64 });
        using (var session = model.CreateSession())
        {
            session.Step(Ids);
            session.Save(_path, TestContext.Current.CancellationToken);
        }
        var good = File.ReadAllBytes(_path);
        var places = Enumerable.Range(0, 64).Concat(Enumerable.Range(64, 200).Select(i => 64 + ((i * 7919) % (good.Length - 64)))).ToArray();
        foreach (var place in places)
        {
            var bad = good.ToArray();
            bad[place] ^= 0x81;
            Refused(model, bad, $"byte {place}");
        }
        foreach (var length in new[] { 0, 7, 40, 72, 73, 80, 100, 2600, good.Length - 33, good.Length - 1 })
            Refused(model, good[..length], $"{length} bytes");
        Refused(model, [.. good, 0], "a byte more");
        Assert.Equal(0, model.Blocks.InUse);
        File.WriteAllBytes(_path, good);
        model.LoadSession(_path, 0, TestContext.Current.CancellationToken).Dispose();
    }

    [Fact]
    public void Load_ByAnotherModelOrCache_SaysSo()
    {
        using var file = new TinyLlama();
        using var other = new TinyLlama(window: 3);
        using (var model = Model.Load(file.Path))
        {
            using var session = model.CreateSession();
            session.Step(Ids.AsSpan(0, 100));
            session.Save(_path, TestContext.Current.CancellationToken);
            Assert.Contains("length is 100, expected 0 to 99", Assert.Throws<InvalidDataException>(() => model.LoadSession(_path, 99, TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
        }
        foreach (var (path, options) in new[] { (other.Path, new ModelOptions()), (file.Path, new ModelOptions { CachedValues = CacheType.Q8_0 }), (file.Path, new ModelOptions { Exact = true }) })
        {
            using var model = Model.Load(path, options);
            Assert.Contains("saved with another model, cache type", Assert.Throws<InvalidDataException>(() => model.LoadSession(_path, 0, TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Load_OfAnEarlierVersion_SaysSo()
    {
        using var file = new TinyLlama();
        using var model = Model.Load(file.Path);
        using (var session = model.CreateSession())
        {
            session.Step([1, 2, 3]);
            session.Save(_path, TestContext.Current.CancellationToken);
        }
        var bytes = File.ReadAllBytes(_path);
        Assert.Equal("HEARTHS2"u8, bytes.AsSpan(0, 8));
        bytes[7] = (byte)'1';
        File.WriteAllBytes(_path, bytes);
        Assert.Contains("another version", Assert.Throws<InvalidDataException>(() => model.LoadSession(_path, 0, TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Save_Cancelled_LeavesTheOlderFile()
    {
        using var file = new TinyLlama();
        using var model = Model.Load(file.Path);
        using var session = model.CreateSession();
        session.Step([1, 2, 3]);
        File.WriteAllText(_path, "older");
        Assert.ThrowsAny<OperationCanceledException>(() => session.Save(_path, new CancellationToken(canceled: true)));
        Assert.Equal("older", File.ReadAllText(_path));
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(_path)!, Path.GetFileName(_path) + "*"));
    }

    [Fact]
    public void Save_OfABlockThatAnotherHad_HoldsNothingOfIt()
    {
        using var file = new TinyLlama();
        using var model = Model.Load(file.Path, new ModelOptions { Threads = 1 });
        byte[] Saved()
        {
            using var session = model.CreateSession();
            session.Step([1, 2, 3]);
            session.Save(_path, TestContext.Current.CancellationToken);
            return File.ReadAllBytes(_path);
        }
        var first = Saved();
        using (var session = model.CreateSession())
            session.Step(Ids.AsSpan(0, 64));
        Assert.Equal(first, Saved());
    }

    private void Refused(Model model, byte[] content, string what)
    {
        File.WriteAllBytes(_path, content);
        try
        {
            model.LoadSession(_path, 0, TestContext.Current.CancellationToken).Dispose();
        }
        catch (InvalidDataException)
        {
            return;
        }
        Assert.Fail($"{what}: not refused");
    }
}
