using OpenHearth.Engine.Graph;
using OpenHearth.Engine.KvCache;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Attention;

namespace OpenHearth.Engine.Tests.Graph;

/// <summary>State that a sequence carries beside its cache, by the smallest recurrent op there is: a running sum.</summary>
public sealed class RecurrentStateTests : IDisposable
{
    private readonly TinyLlama _file = new();
    private readonly ModelSource _source;
    private readonly BlockPool _blocks;
    private readonly StepContext _step;
    private readonly Plan _plan;
    private readonly OpenHearth.Kernels.Threading.ComputePool _pool = new(1);

    public RecurrentStateTests()
    {
        _source = ModelSource.Open(_file.Path);
        var g = new GraphBuilder(new ModelWeights(_source, TensorNames.Llama()));
        var x = g.Embedding("token_embd", 24);
        g.AddState(5);
        var graph = g.Build(g.OutputRows(g.Add(new RunningSumOp(x, g.AddState(24)))));
        _plan = Plan.Of(graph);
        var layout = new CacheLayout(graph, new CacheFormats(CacheFormat.F32, CacheFormat.F32), 2048);
        _blocks = new BlockPool(layout);
        _step = new StepContext(_pool, OpenHearth.Kernels.MatMul.Precision.Exact, layout, 2048) { Arena = new Arena(_plan.Placement) };
    }

    public void Dispose()
    {
        _step.Dispose();
        _blocks.Dispose();
        _pool.Dispose();
        _source.Dispose();
        _file.Dispose();
    }

    [Fact]
    public void State_InPiecesAndAmongOthers_IsThatOfTheWhole()
    {
        using var whole = new SequenceState(_blocks);
        using var pieces = new SequenceState(_blocks);
        using var other = new SequenceState(_blocks);
        var expected = Run((whole, [1, 2, 3, 4, 5]))[0];
        Run((pieces, [1, 2]), (other, [9]));
        Assert.Equal(expected, Run((other, [8, 7]), (pieces, [3, 4, 5]))[1]);
    }

    [Fact]
    public void Fork_WhenBothGoOn_HasStateOfItsOwn()
    {
        using var state = new SequenceState(_blocks);
        Run((state, [1, 2]));
        using var fork = state.Fork();
        Run((fork, [6]));
        using var fresh = new SequenceState(_blocks);
        Assert.Equal(Run((fresh, [1, 2, 3]))[0], Run((state, [3]))[0]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(700)]
    [InlineData(1399)]
    [InlineData(1400)]
    public void Truncate_ToAnyLength_GoesOnAsIfTheRestHadNeverBeen(int length)
    {
        using var state = new SequenceState(_blocks);
        using var fresh = new SequenceState(_blocks);
        Grow(state, 1400);
        Grow(fresh, length);
        using var fork = state.Fork();
        state.Truncate(length);
        Assert.Equal(length, state.Remembered);
        var expected = Run((fresh, [7]))[0];
        Assert.Equal(expected, Run((state, [7]))[0]);
        Assert.Equal(length + 1, state.Length);
        // What a sequence did after it was forked does not touch the copies that both have.
        fork.Truncate(length);
        Assert.Equal(expected, Run((fork, [7]))[0]);
    }

    [Fact]
    public void Truncate_Twice_GoesOnFromTheSecond()
    {
        using var state = new SequenceState(_blocks);
        using var fresh = new SequenceState(_blocks);
        Grow(state, 300);
        Grow(fresh, 280);
        state.Truncate(290);
        state.Truncate(280);
        using var fork = state.Fork();
        var expected = Run((fresh, [3, 4]))[0];
        Assert.Equal(expected, Run((state, [3, 4]))[0]);
        Assert.Equal(expected, Run((fork, [3, 4]))[0]);
    }

    [Fact]
    public void Abandon_AfterAStepThatFailed_UndoesWhatItDid()
    {
        using var state = new SequenceState(_blocks);
        using var fresh = new SequenceState(_blocks);
        Grow(state, 300);
        Grow(fresh, 300);
        state.State(new StateSlot(5, 24)).Fill(float.NaN);
        state.Abandon();
        Assert.Equal(300, state.Remembered);
        Assert.Equal(Run((fresh, [3]))[0], Run((state, [3]))[0]);
    }

    private void Grow(SequenceState state, int length)
    {
        for (var first = 0; first < length; first += 50)
            Run((state, [.. Enumerable.Range(first, Math.Min(50, length - first)).Select(i => i * 7 % 11)]));
    }

    private float[][] Run(params (SequenceState State, int[] Tokens)[] runs)
    {
        _step.Clear();
        for (var i = 0; i < runs.Length; i++)
        {
            var (state, tokens) = runs[i];
            runs[i].Tokens = tokens = [.. state.Begin(tokens.Length), .. tokens];
            state.Reserve(tokens.Length);
            _step.Add(state, tokens, 1);
        }
        _step.Arena.Reserve(_step.TokenCount, runs.Length);
        _plan.RunBody(_step);
        _step.SelectOutputs(0, runs.Length);
        _plan.RunHead(_step);
        foreach (var (state, tokens) in runs)
            state.Advance(tokens);
        var results = _step.Values(_plan.Graph.Output).ToArray();
        return [.. Enumerable.Range(0, runs.Length).Select(i => results[(i * 24)..((i + 1) * 24)])];
    }

    private sealed class RunningSumOp(Node x, StateSlot slot) : Node(x.Width, RowAxis.Tokens, x)
    {
        public override void Forward(StepContext step)
        {
            foreach (ref readonly var run in step.Runs)
            {
                var state = run.Sequence.State(slot);
                for (var t = run.FirstRow; t < run.FirstRow + run.Count; t++)
                {
                    for (var i = 0; i < Width; i++)
                        state[i] += step.Values(Inputs[0])[(t * Width) + i];
                    state.CopyTo(step.Values(this)[(t * Width)..]);
                }
            }
        }
    }
}
