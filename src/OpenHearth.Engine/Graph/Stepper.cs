using OpenHearth.Engine.KvCache;
using OpenHearth.Engine.Profiling;
using OpenHearth.Kernels.MatMul;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Engine.Graph;

/// <summary>Runs a plan over batches: cuts them into steps that fit the buffers, and results into parts that do. One caller at a time.</summary>
internal sealed class Stepper : IDisposable
{
    // The scores of a large vocabulary take half a megabyte a row.
    private const int MaximumOutputs = 64;

    private readonly Plan _plan;
    private readonly StepContext _step;

    /// <summary>Makes a runner; the pool stays the caller's.</summary>
    public Stepper(Plan plan, ComputePool pool, Precision precision, CacheLayout cache, int maximumTokens)
    {
        _plan = plan;
        _step = new StepContext(pool, precision, cache, maximumTokens) { Arena = new Arena(plan.Placement) };
    }

    /// <summary>Bytes of the values of a step of so many tokens that asks for one result.</summary>
    public long ActivationBytes(int tokens) => _plan.Placement.BytesFor(tokens, 1);

    /// <summary>Bytes of such values now.</summary>
    public long ArenaBytes => _step.Arena.Bytes;

    /// <summary>Takes a batch in.</summary>
    /// <param name="batch">Checked by the caller; where tokens see those after them, no run is longer than a step.</param>
    /// <param name="results">[rows asked for, output width], or empty to leave them in the batch</param>
    /// <param name="profile">What takes the time of each op, or null</param>
    public void Run(Batch batch, Span<float> results, StepProfile? profile = null)
    {
        _step.Clear();
        _step.Profile = profile;
        var firstResult = 0;
        foreach (ref readonly var entry in batch.Entries)
        {
            var tokens = batch.Tokens(entry);
            if (entry.Session.State.Begin(tokens.Length) is { Length: > 0 } again)
                tokens = (int[])[.. again, .. tokens];
            while (!tokens.IsEmpty)
            {
                var room = _step.MaximumTokens - _step.TokenCount;
                if (room == 0 || (_plan.Graph.SeesAhead && tokens.Length > room))
                    firstResult += Flush(batch, results, firstResult);
                var count = Math.Min(tokens.Length, _step.MaximumTokens - _step.TokenCount);
                var state = entry.Session.State;
                state.Reserve(count);
                _step.Add(state, tokens[..count], Math.Clamp(entry.Rows - (tokens.Length - count), 0, count));
                tokens = tokens[count..];
            }
        }
        Flush(batch, results, firstResult);
    }

    /// <summary>Frees the buffers.</summary>
    public void Dispose() => _step.Dispose();

    private int Flush(Batch batch, Span<float> results, int firstResult)
    {
        if (_step.TokenCount == 0)
            return 0;
        try
        {
            Compute(batch, results, firstResult);
        }
        catch
        {
            foreach (ref readonly var run in _step.Runs)
                run.Sequence.Abandon();
            throw;
        }
        foreach (ref readonly var run in _step.Runs)
            run.Sequence.Advance(_step.Tokens.Slice(run.FirstRow, run.Count));
        var outputs = _step.OutputCount;
        _step.Clear();
        return outputs;
    }

    private void Compute(Batch batch, Span<float> results, int firstResult)
    {
        var outputs = _step.OutputCount;
        _step.Profile?.Begin();
        _step.Arena.Reserve(_step.TokenCount, Math.Min(outputs, MaximumOutputs));
        _plan.RunBody(_step);
        for (var first = 0; first < outputs; first += MaximumOutputs)
        {
            var end = Math.Min(first + MaximumOutputs, outputs);
            _step.SelectOutputs(first, end);
            _plan.RunHead(_step);
            var target = results.IsEmpty
                ? batch.ResultRows(firstResult + first, end - first)
                : results.Slice((firstResult + first) * _plan.Graph.Output.Width, (end - first) * _plan.Graph.Output.Width);
            _step.Values(_plan.Graph.Output).CopyTo(target);
        }
        _step.Profile?.End();
    }
}
