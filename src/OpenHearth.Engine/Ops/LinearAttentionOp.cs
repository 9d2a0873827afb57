using OpenHearth.Engine.Files;
using OpenHearth.Engine.Graph;
using OpenHearth.Engine.KvCache;
using OpenHearth.Kernels.Recurrence;

namespace OpenHearth.Engine.Ops;

/// <summary>
/// Linear attention with decay: the state spaces of Mamba 2, Gated DeltaNet, Kimi Delta Attention. Inputs are queries and keys
/// [tokens, keyHeads · keyWidth], values [tokens, heads · valueWidth], decay [tokens, heads] or [tokens, heads · keyWidth], rate [tokens, heads].
/// </summary>
internal sealed class LinearAttentionOp(Node[] inputs, LinearAttentionShape shape, float[] skip, StateSlot slot) : Node(shape.Heads * shape.ValueWidth, RowAxis.Tokens, inputs)
{
    /// <summary>The layer.</summary>
    public LinearAttentionShape Shape => shape;

    /// <summary>[heads] share of the value that is added to the result; empty for none</summary>
    public float[] Skip => skip;

    /// <summary>Where the heads' matrices are kept.</summary>
    public StateSlot Slot => slot;

    public override bool MayOverwrite(Node input) => input == Inputs[2];

    public override void Forward(StepContext step)
    {
        foreach (ref readonly var run in step.Runs)
        {
            LinearAttention.Forward(
                step.Pool, shape, Of(step, Inputs[0], run), Of(step, Inputs[1], run), Of(step, Inputs[2], run),
                Of(step, Inputs[3], run), Of(step, Inputs[4], run), skip, run.Sequence.State(slot), Of(step, this, run), run.Count);
        }
    }

    private static Span<float> Of(StepContext step, Node node, in SequenceRun run) => step.Values(node).Slice(run.FirstRow * node.Width, run.Count * node.Width);
}

internal static partial class GraphOps
{
    /// <summary>Linear attention with state of its own.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="queries">[tokens, keyHeads · keyWidth]</param>
    /// <param name="keys">[tokens, keyHeads · keyWidth]</param>
    /// <param name="values">[tokens, heads · valueWidth]</param>
    /// <param name="decay">[tokens, heads], or [tokens, heads · keyWidth]: what is left of the past</param>
    /// <param name="rate">[tokens, heads]: how much of the token is taken in</param>
    /// <param name="shape">The layer.</param>
    /// <param name="skip">[heads] share of the value that is added to the result, or null</param>
    public static Node LinearAttention(this GraphBuilder graph, Node queries, Node keys, Node values, Node decay, Node rate, LinearAttentionShape shape, float[]? skip = null)
    {
        if (shape.Heads % shape.KeyHeads != 0)
            throw new ModelFormatException($"{graph.Weights.Path}: {shape.Heads} heads of linear attention can't share {shape.KeyHeads} key heads");
        var keyWidth = shape.KeyHeads * shape.KeyWidth;
        if (queries.Width != keyWidth || keys.Width != keyWidth || values.Width != shape.Heads * shape.ValueWidth || rate.Width != shape.Heads || (decay.Width != shape.Heads && decay.Width != shape.Heads * shape.KeyWidth))
            throw new ArgumentException($"Inputs of {queries.Width}, {keys.Width}, {values.Width}, {decay.Width}, {rate.Width} don't fit {shape}.");
        return graph.Add(new LinearAttentionOp([queries, keys, values, decay, rate], shape, skip ?? [], graph.AddState(shape.StateLength)));
    }
}
