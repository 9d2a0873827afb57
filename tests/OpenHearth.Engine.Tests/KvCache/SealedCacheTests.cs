using OpenHearth.Engine.Graph;
using OpenHearth.Engine.KvCache;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Attention;

namespace OpenHearth.Engine.Tests.KvCache;

/// <summary>Keys that are rounded when their block is full can only be gone back to where a block begins; sessions don't show it.</summary>
public sealed class SealedCacheTests : IDisposable
{
    // What half precision makes of different orders of summing; a key of another block or rounded twice gives far more.
    private const double Tolerance = 1e-3;

    private static readonly int[] Ids = [.. Enumerable.Range(0, 900).Select(i => ((i * 37) + (i / 61)) % TinyLlama.Vocabulary)];

    private readonly TinyLlama _file = new(context: 1024);
    private readonly TinyLlama _windowed = new(context: 1024, window: 70);
    private readonly List<Model> _models = [];

    public void Dispose()
    {
        _models.ForEach(model => model.Dispose());
        _file.Dispose();
        _windowed.Dispose();
    }

    // Tokens taken in again must not fill their block in the same step: they would see it rounded.
    [Theory]
    [InlineData(199, 199)]
    [InlineData(192, 192)]
    [InlineData(188, 128)]
    [InlineData(128, 128)]
    [InlineData(100, 64)]
    [InlineData(64, 64)]
    [InlineData(60, 0)]
    [InlineData(0, 0)]
    public void Truncate_ToAnyPlace_BeginsAtItsBlock_AndIsAsIfTheRestHadNeverCome(int length, int held)
    {
        var model = Load(_file);
        using var session = model.CreateSession();
        Grow(session, Ids[..200]);
        session.Truncate(length);
        Assert.Equal((length, held), (session.Length, session.State.Length));
        var continued = session.Step([5, 6, 7]).ToArray();
        Assert.Equal(length + 3, session.Length);
        Assert.InRange(LogitComparison.Error(Alone(model, [.. Ids[..length], 5, 6, 7]), continued), 0, Tolerance);
    }

    [Theory]
    [InlineData(898)]
    [InlineData(700)]
    [InlineData(500)]
    [InlineData(60)]
    public void Truncate_OfAWindow_IsAsIfTheRestHadNeverCome(int length)
    {
        var model = Load(_windowed);
        using var session = model.CreateSession();
        Grow(session, Ids);
        Assert.InRange(model.Blocks.InUse, 6, 8); // 70 in sight, 256 behind, and what waits
        session.Truncate(length);
        // Where all is taken in again, it is so in steps of 64, as here.
        using var straight = model.CreateSession();
        if (length < 640)
            straight.Step(Ids.AsSpan(0, length));
        else
            Grow(straight, Ids[..length]);
        Assert.InRange(LogitComparison.Error(straight.Step([9]), session.Step([9]).ToArray()), 0, Tolerance);
    }

    [Fact]
    public void Fork_WhoseOriginGoesOn_KeepsItsOwnKeysWaiting()
    {
        var model = Load(_file);
        using (var session = model.CreateSession())
        {
            Grow(session, Ids[..100]);
            using var fork = session.Fork();
            Grow(session, Ids[100..200]);
            Assert.InRange(LogitComparison.Error(Alone(model, [.. Ids[..100], 1, 2]), fork.Step([1, 2])), 0, Tolerance);
            Assert.InRange(LogitComparison.Error(Alone(model, [.. Ids[..200], 3]), session.Step([3])), 0, Tolerance);
            fork.Truncate(80);
            Assert.InRange(LogitComparison.Error(Alone(model, [.. Ids[..80], 4]), fork.Step([4])), 0, Tolerance);
        }
        Assert.Equal((0, 0L), (model.Blocks.InUse, model.Blocks.BytesInUse));
    }

    [Fact]
    public void Abandon_AfterAStepThatFailed_TakesTheBlockInAgain()
    {
        var model = Load(_file);
        using var session = model.CreateSession();
        Grow(session, Ids[..100]);
        session.State.Abandon(); // some layers may have sealed the block, others not
        Assert.Equal((100, 64), (session.Length, session.State.Length));
        Assert.InRange(LogitComparison.Error(Alone(model, [.. Ids[..100], 1]), session.Step([1])), 0, Tolerance);
    }

    [Fact]
    public void Truncate_OfASequenceWithState_GoesBackToWhereBothAre()
    {
        using var source = ModelSource.Open(_file.Path);
        var g = new GraphBuilder(new ModelWeights(source, TensorNames.Llama()));
        var x = g.Embedding("token_embd", 24);
        var keys = g.Columns(x, 24, 0, 12);
        g.AddState(5);
        var graph = g.Build(g.OutputRows(g.Attention(x, keys, keys, new AttentionShape { Heads = 2, KeyHeads = 1, KeyWidth = 12, ValueWidth = 12, Scale = 1 })));
        using var blocks = new BlockPool(new CacheLayout(graph, new CacheFormats(CacheFormat.Q4_0, CacheFormat.F32), 512));
        using var sequence = new SequenceState(blocks);
        void Take(int count)
        {
            sequence.Reserve(count);
            sequence.Advance(new int[count]);
        }
        Take(300); // the state is as old as no block
        for (var i = 300; i < 390; i++)
            Take(1);
        sequence.Truncate(330);
        Assert.Equal((330, 320), (sequence.Remembered, sequence.Length));
        sequence.Truncate(310);
        Assert.Equal((310, 0), (sequence.Remembered, sequence.Length));
    }

    [Fact]
    public void Layout_OfKeysOutOfRotaryEmbedding_TurnsThemBack()
    {
        KeyTurn?[] Turns(Model model) => [.. model.Graph.Nodes.OfType<AttentionOp>().Select(node => model.Blocks.Layout.Place(node.Slot).Turn)];
        var turns = Turns(Load(_file));
        Assert.Equal(2, turns.Length);
        Assert.NotNull(turns[0]);
        Assert.Same(turns[0], turns[1]);
        using var halves = Model.Load(_file.Path);
        Assert.All(Turns(halves), Assert.Null);
    }

    private static ModelOptions Options => new() { Exact = true, Threads = 1, MaximumStepTokens = 64, CachedKeys = CacheType.Q4_0 };

    private Model Load(TinyLlama file)
    {
        var model = Model.Load(file.Path, Options);
        _models.Add(model);
        return model;
    }

    // Token by token, so that each sees the keys of its block before they are rounded.
    private static float[] Grow(Session session, int[] ids)
    {
        float[] last = [];
        foreach (var id in ids)
            last = session.Step([id]).ToArray();
        return last;
    }

    private static float[] Alone(Model model, int[] ids)
    {
        using var session = model.CreateSession();
        return Grow(session, ids);
    }
}
