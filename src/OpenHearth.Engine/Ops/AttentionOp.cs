using OpenHearth.Engine.Files;
using OpenHearth.Engine.Graph;
using OpenHearth.Engine.KvCache;
using OpenHearth.Engine.Profiling;
using OpenHearth.Kernels.Attention;

namespace OpenHearth.Engine.Ops;

/// <summary>
/// Puts the keys and values of the step into the cache and attends to all that each token may see. Inputs are queries
/// [tokens, heads · keyWidth], keys [tokens, keyHeads · keyWidth] and, where they are not part of the keys, values
/// [tokens, keyHeads · valueWidth]; with queries alone, it reads what another layer has put into the slot.
/// </summary>
internal sealed class AttentionOp(Node[] inputs, AttentionShape shape, CacheSlot slot) : Node(shape.Heads * shape.ValueWidth, RowAxis.Tokens, inputs)
{
    /// <summary>The layer.</summary>
    public AttentionShape Shape => shape;

    /// <summary>Where keys and values are kept.</summary>
    public CacheSlot Slot => slot;

    /// <summary>[heads] scores that belong to no value; empty for none</summary>
    public float[] Sinks { get; init; } = [];

    /// <summary>[heads] ALiBi: what a score loses for each token of distance; empty for none</summary>
    public float[] Slopes { get; init; } = [];

    // What each token sees, multiplied with its queries and weighed; the cache is read once for all tokens of a run.
    public override Work Work(StepContext step)
    {
        var (read, seen) = (0L, 0L);
        foreach (ref readonly var run in step.Runs)
        {
            var most = run.Past + run.Count;
            var farthest = 0L;
            for (var i = 0; i < run.Count; i++)
            {
                var visible = shape.Causal ? run.Past + i + 1L : most;
                visible = shape.Window > 0 ? Math.Min(visible, shape.Window) : visible;
                visible = shape.Chunk > 0 ? Math.Min(visible, ((run.Past + i) % shape.Chunk) + 1) : visible;
                seen += visible;
                farthest = Math.Max(farthest, visible + (run.Count - 1 - i));
            }
            read += Math.Min(farthest, most);
        }
        var perToken = step.Cache.Formats.BlockBytes(shape) / CacheFormat.BlockTokens;
        return new Work(read * perToken, seen * shape.Heads * (shape.KeyWidth + shape.ValueWidth));
    }

    public override void Forward(StepContext step)
    {
        var place = step.Cache.Place(slot);
        if (Inputs.Length > 1)
            Attention.Store(step.Pool, shape, step.Cache.Formats, place, step.AttentionRuns(slot), step.Values(Inputs[1]), Inputs.Length > 2 ? step.Values(Inputs[2]) : default);
        Attention.Forward(step.Pool, step.Workspace, shape, step.Cache.Formats, place, step.AttentionRuns(slot), step.Values(Inputs[0]), Sinks, Slopes, step.Values(this), step.Precision);
    }
}

internal static partial class GraphOps
{
    /// <summary>Attention over a cache of its own.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="queries">[tokens, heads · keyWidth]</param>
    /// <param name="keys">[tokens, keyHeads · keyWidth]</param>
    /// <param name="values">[tokens, keyHeads · valueWidth]; null where <see cref="AttentionShape.ValuesInKeys"/></param>
    /// <param name="shape">The layer.</param>
    /// <param name="sinks">[heads] scores that belong to no value, or null</param>
    /// <param name="slopes">[heads] ALiBi's slopes, or null</param>
    public static Node Attention(this GraphBuilder graph, Node queries, Node keys, Node? values, AttentionShape shape, float[]? sinks = null, float[]? slopes = null)
    {
        CheckHeads(graph, shape.Heads, shape.KeyHeads);
        if (queries.Width != (long)shape.Heads * shape.KeyWidth || keys.Width != (long)shape.KeyHeads * shape.KeyWidth || (values is not null && values.Width != (long)shape.KeyHeads * shape.ValueWidth))
            throw new ModelFormatException($"{graph.Weights.Path}: queries, keys and values of {queries.Width}, {keys.Width}, {values?.Width ?? 0} don't fit {shape.Heads} and {shape.KeyHeads} heads of {shape.KeyWidth} and {shape.ValueWidth}");
        Node[] inputs = values is null ? [queries, keys] : [queries, keys, values];
        return graph.Add(new AttentionOp(inputs, shape, graph.AddCache(shape)) { Sinks = sinks ?? [], Slopes = slopes ?? [] });
    }

    private static void CheckHeads(GraphBuilder graph, int heads, int keyHeads)
    {
        if (heads % keyHeads != 0)
            throw new ModelFormatException($"{graph.Weights.Path}: {heads} attention heads can't share {keyHeads} key heads.");
    }
}
