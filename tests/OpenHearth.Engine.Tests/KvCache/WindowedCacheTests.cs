using OpenHearth.Engine.Graph;
using OpenHearth.Engine.KvCache;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Attention;

namespace OpenHearth.Engine.Tests.KvCache;

/// <summary>Blocks that no layer can see any more are freed, and nothing else changes.</summary>
public sealed class WindowedCacheTests : IDisposable
{
    private const int Length = 900;
    private static readonly int[] Ids = [.. Enumerable.Range(0, Length).Select(i => ((i * 37) + (i / 61)) % TinyLlama.Vocabulary)];

    private readonly TinyLlama _file = new(context: 1024, window: 70);
    private readonly Model _model;

    public WindowedCacheTests() =>
        _model = Model.Load(_file.Path, new ModelOptions { Exact = true, Threads = 2, MaximumStepTokens = 64 });

    public void Dispose()
    {
        _model.Dispose();
        _file.Dispose();
    }

    [Fact]
    public void Step_AfterStep_HoldsTheWindowAlone_AndGivesTheResultsOfOneStep()
    {
        using var session = _model.CreateSession();
        var most = 0;
        float[] last = [];
        for (var first = 0; first < Length; first += 45)
        {
            last = session.Step(Ids.AsSpan(first, 45)).ToArray();
            most = Math.Max(most, _model.Blocks.InUse);
        }
        Assert.InRange(most, 6, _model.Blocks.Layout.Groups[0].BlocksFor(1024, 64));
        Assert.InRange(most, 6, 8); // 70 in sight, 256 behind, 64 new
        Assert.InRange(LogitComparison.Error(AtOnce(Ids), last), 0, 1e-5);
        // What is another's by now can't be reached.
        var blocks = session.State.Blocks(0);
        Assert.All(blocks[..((Length - 70 - CacheGroup.Slack) / CacheFormat.BlockTokens)], block => Assert.Equal(0, block.Length));
        Assert.NotEqual(0, blocks[(Length - 1) / CacheFormat.BlockTokens].Length);
    }

    [Theory]
    [InlineData(899)]
    [InlineData(700)]
    [InlineData(550)] // a block that is just out of reach
    [InlineData(500)]
    [InlineData(64)]
    [InlineData(0)]
    public void Truncate_ToAnyPlace_IsAsIfTheRestHadNeverCome(int length)
    {
        using var session = _model.CreateSession();
        session.Step(Ids);
        session.Truncate(length);
        Assert.Equal(length, session.Length);
        var continued = session.Step([5, 6, 7]).ToArray();
        Assert.Equal(length + 3, session.Length);
        Assert.InRange(LogitComparison.Error(AtOnce([.. Ids[..length], 5, 6, 7]), continued), 0, 1e-5);
    }

    [Fact]
    public void Fork_WhoseOriginGoesOn_KeepsWhatItSees()
    {
        using var session = _model.CreateSession();
        session.Step(Ids.AsSpan(0, 400));
        using (var fork = session.Fork())
        {
            session.Step(Ids.AsSpan(400));
            Assert.InRange(LogitComparison.Error(AtOnce([.. Ids[..400], 1, 2]), fork.Step([1, 2])), 0, 1e-5);
            fork.Truncate(10);
            Assert.InRange(LogitComparison.Error(AtOnce([.. Ids[..10], 3]), fork.Step([3])), 0, 1e-5);
        }
        session.Dispose();
        Assert.Equal(0, _model.Blocks.InUse);
        Assert.Equal(0, _model.Blocks.BytesInUse);
    }

    [Fact]
    public void Layout_OfLayersThatSeeDifferentlyFar_HasABlockForEachKind()
    {
        var g = new GraphBuilder(new ModelWeights(ModelSource.Open(_file.Path), TensorNames.Llama()));
        var full = new AttentionShape { Heads = 2, KeyHeads = 1, KeyWidth = 12, ValueWidth = 12, Scale = 1 };
        var x = g.Embedding("token_embd", 24);
        var keys = g.Columns(x, 24, 0, 12);
        var global = g.Attention(x, keys, keys, full);
        var near = g.Attention(x, keys, keys, full with { Window = 100 });
        var far = g.Attention(x, keys, keys, full with { Window = 200 });
        var chunked = g.Attention(x, keys, keys, full with { Chunk = 128 });
        // Reads the far layer's slot without a limit, so that nothing in there may go.
        var reader = g.Add(new AttentionOp([x], full, ((AttentionOp)far).Slot));
        var graph = g.Build(g.OutputRows(g.Add(new AddOp(g.Add(new AddOp(g.Add(new AddOp(global, near)), g.Add(new AddOp(far, chunked)))), reader))));
        var formats = new CacheFormats(CacheFormat.F32, CacheFormat.F32);
        var layout = new CacheLayout(graph, formats, 64);
        var bytes = formats.BlockBytes(full);
        Assert.Equal([new CacheGroup(0, 0, 2 * bytes), new CacheGroup(100, 0, bytes), new CacheGroup(0, 128, bytes)], layout.Groups);
        Assert.Equal(new CachePlace(bytes), layout.Place(((AttentionOp)far).Slot));
        Assert.Equal((2 * 1000 * bytes) + (8 * bytes) + (9 * bytes), layout.BytesFor(64_000));
        Assert.InRange(layout.LongestWithin(layout.BytesFor(64_000)), 64_000, 64_064);
    }

    [Fact]
    public void FirstVisible_OfChunks_StaysUntilTheNextBegins()
    {
        var group = new CacheGroup(0, 128, 1);
        Assert.Equal([0, 0, 128, 128, 256], new[] { 0, 127, 128, 255, 256 }.Select(group.FirstVisible));
        Assert.Equal(30, new CacheGroup(71, 0, 1).FirstVisible(100));
    }

    // A step that takes in all, so that nothing is freed before it ends.
    private float[] AtOnce(int[] ids)
    {
        using var model = Model.Load(_file.Path, new ModelOptions { Exact = true, Threads = 1, MaximumStepTokens = 1024 });
        using var session = model.CreateSession();
        return session.Step(ids).ToArray();
    }
}
