using OpenHearth.Engine.KvCache;
using OpenHearth.Engine.Profiling;
using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.MatMul;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Engine.Graph;

/// <summary>Consecutive tokens of one sequence within a step.</summary>
/// <param name="Sequence">Whose tokens they are.</param>
/// <param name="FirstRow">Row of the first one.</param>
/// <param name="Count">How many.</param>
/// <param name="Past">Tokens of the sequence before them.</param>
internal readonly record struct SequenceRun(SequenceState Sequence, int FirstRow, int Count, int Past);

/// <summary>All that ops need while a step runs. One for each model, reused by every step.</summary>
internal sealed class StepContext(ComputePool pool, Precision precision, CacheLayout cache, int maximumTokens) : IDisposable
{
    private readonly int[] _tokens = new int[maximumTokens];
    private readonly int[] _positions = new int[maximumTokens];
    private readonly int[] _outputs = new int[maximumTokens];
    private readonly SequenceRun[] _runs = new SequenceRun[maximumTokens];
    private readonly AttentionRun[][] _attentionRuns = [.. cache.Groups.Select(_ => new AttentionRun[maximumTokens])]; // by group of layers
    private int _runCount;
    private int _outputCount;
    private int _firstOutput;
    private int _endOutput;

    /// <summary>Runs the parts of every kernel.</summary>
    public ComputePool Pool { get; } = pool;

    /// <summary>Whether products may round activations.</summary>
    public Precision Precision { get; } = precision;

    /// <summary>How keys and values are stored.</summary>
    public CacheLayout Cache { get; } = cache;

    /// <summary>Memory for attention to work in.</summary>
    public AttentionWorkspace Workspace { get; } = new();

    /// <summary>The largest number of tokens in a step.</summary>
    public int MaximumTokens { get; } = maximumTokens;

    /// <summary>Number of tokens in this step.</summary>
    public int TokenCount { get; private set; }

    /// <summary>[tokens] ids</summary>
    public ReadOnlySpan<int> Tokens => _tokens.AsSpan(0, TokenCount);

    /// <summary>[tokens] place of each token in its sequence</summary>
    public ReadOnlySpan<int> Positions => _positions.AsSpan(0, TokenCount);

    /// <summary>The runs of this step; together they are its tokens, in order.</summary>
    public ReadOnlySpan<SequenceRun> Runs => _runs.AsSpan(0, _runCount);

    /// <summary>The same runs as the attention kernel takes them for a layer.</summary>
    public ReadOnlySpan<AttentionRun> AttentionRuns(CacheSlot slot) => _attentionRuns[Cache.Group(slot)].AsSpan(0, _runCount);

    /// <summary>Number of rows whose result is asked for in this step.</summary>
    public int OutputCount => _outputCount;

    /// <summary>[outputs] the token rows that ops after the selection work on now, a part of those asked for</summary>
    public ReadOnlySpan<int> OutputRows => _outputs.AsSpan(_firstOutput, _endOutput - _firstOutput);

    /// <summary>Where the values of nodes are.</summary>
    public required Arena Arena { get; init; }

    /// <summary>What takes the time of every instruction, or null.</summary>
    public StepProfile? Profile { get; set; }

    /// <summary>Begins the description of a step.</summary>
    public void Clear()
    {
        Array.Clear(_runs, 0, _runCount);
        foreach (var runs in _attentionRuns)
            Array.Clear(runs, 0, _runCount);
        (TokenCount, _runCount, _outputCount, _firstOutput, _endOutput) = (0, 0, 0, 0, 0);
    }

    /// <summary>Adds tokens of a sequence, for which the sequence has made room, and asks for the results of the last <paramref name="outputs"/>.</summary>
    public void Add(SequenceState sequence, ReadOnlySpan<int> tokens, int outputs)
    {
        var first = TokenCount;
        tokens.CopyTo(_tokens.AsSpan(first));
        for (var i = 0; i < tokens.Length; i++)
            _positions[first + i] = sequence.Length + i;
        for (var i = tokens.Length - outputs; i < tokens.Length; i++)
            _outputs[_outputCount++] = first + i;
        for (var group = 0; group < _attentionRuns.Length; group++)
            _attentionRuns[group][_runCount] = new AttentionRun(sequence.Blocks(group), first, tokens.Length, sequence.Length, sequence.Waiting(group));
        _runs[_runCount++] = new SequenceRun(sequence, first, tokens.Length, sequence.Length);
        TokenCount += tokens.Length;
    }

    /// <summary>Chooses which of the rows asked for come next.</summary>
    public void SelectOutputs(int first, int end) => (_firstOutput, _endOutput) = (first, end);

    /// <summary>Number of rows that a node has now.</summary>
    public int Rows(Node node) => node.Rows == RowAxis.Tokens ? TokenCount : _endOutput - _firstOutput;

    /// <summary>[rows, width] the values of a node</summary>
    public Span<float> Values(Node node) => Arena.Values(node, Rows(node));

    /// <summary>[rows, scratch width] what a node works in</summary>
    public Span<float> Scratch(Node node) => Arena.Scratch(node, Rows(node));

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        Workspace.Dispose();
        Arena.Dispose();
    }
}
