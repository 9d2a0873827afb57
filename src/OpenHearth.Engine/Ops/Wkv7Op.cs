using OpenHearth.Engine.Files;
using OpenHearth.Engine.Graph;
using OpenHearth.Engine.KvCache;
using OpenHearth.Kernels.Recurrence;

namespace OpenHearth.Engine.Ops;

/// <summary>The state of RWKV 7. Inputs are r, fade, k, v, direction and replaced, each [tokens, heads · headWidth].</summary>
internal sealed class Wkv7Op(Node[] inputs, int heads, StateSlot slot) : Node(inputs[0].Width, RowAxis.Tokens, inputs)
{
    /// <summary>Number of heads.</summary>
    public int Heads => heads;

    /// <summary>[heads, headWidth, headWidth]</summary>
    public StateSlot Slot => slot;

    public override void Forward(StepContext step)
    {
        foreach (ref readonly var run in step.Runs)
        {
            Wkv7.Forward(
                step.Pool, Of(step, Inputs[0], run), Of(step, Inputs[1], run), Of(step, Inputs[2], run), Of(step, Inputs[3], run),
                Of(step, Inputs[4], run), Of(step, Inputs[5], run), run.Sequence.State(slot), Of(step, this, run), run.Count, heads);
        }
    }

    private static Span<float> Of(StepContext step, Node node, in SequenceRun run) => step.Values(node).Slice(run.FirstRow * node.Width, run.Count * node.Width);
}

internal static partial class GraphOps
{
    /// <summary>RWKV 7's matrices, with state of their own.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="r">[tokens, heads · headWidth] what is asked for</param>
    /// <param name="fade">[tokens, heads · headWidth] from 0 to 1: how fast keys fade</param>
    /// <param name="k">[tokens, heads · headWidth]</param>
    /// <param name="v">[tokens, heads · headWidth]</param>
    /// <param name="direction">[tokens, heads · headWidth] of length 1 in each head: where something is replaced</param>
    /// <param name="replaced">[tokens, heads · headWidth] from 0 to 1: how much of it</param>
    /// <param name="heads">Divides the width.</param>
    public static Node Wkv7(this GraphBuilder graph, Node r, Node fade, Node k, Node v, Node direction, Node replaced, int heads)
    {
        var headWidth = r.Width / heads;
        return headWidth <= Kernels.Recurrence.Wkv7.WidestHead
            ? graph.Add(new Wkv7Op([r, fade, k, v, direction, replaced], heads, graph.AddState((long)r.Width * headWidth)))
            : throw new ModelFormatException($"{graph.Weights.Path}: heads of {headWidth} are wider than {Kernels.Recurrence.Wkv7.WidestHead}");
    }
}
