using OpenHearth.Engine.Graph;
using OpenHearth.Engine.KvCache;
using OpenHearth.Kernels.Recurrence;

namespace OpenHearth.Engine.Ops;

/// <summary>The attention of RWKV 4: a fading mean of values, weighed by e^key, channel by channel.</summary>
internal sealed class WkvOp(Node k, Node v, float[] decay, float[] first, StateSlot slot) : Node(k.Width, RowAxis.Tokens, k, v)
{
    /// <summary>[width] logarithm of what is left of a weight after a token</summary>
    public float[] Decay => decay;

    /// <summary>[width] bonus of the newest token</summary>
    public float[] First => first;

    /// <summary>[3, width]</summary>
    public StateSlot Slot => slot;

    public override bool MayOverwrite(Node input) => true;

    public override void Forward(StepContext step)
    {
        foreach (ref readonly var run in step.Runs)
        {
            var (start, length) = (run.FirstRow * Width, run.Count * Width);
            Wkv.Forward(
                step.Pool, step.Values(Inputs[0]).Slice(start, length), step.Values(Inputs[1]).Slice(start, length), decay, first,
                run.Sequence.State(slot), step.Values(this).Slice(start, length), run.Count, Width);
        }
    }
}

internal static partial class GraphOps
{
    /// <summary>RWKV 4's attention with state of its own.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="k">[tokens, width]</param>
    /// <param name="v">[tokens, width]</param>
    /// <param name="decay">Canonical name of the logarithms, not above 0, of what is left after a token: [width]</param>
    /// <param name="first">Canonical name of the newest token's bonus, [width].</param>
    public static Node Wkv(this GraphBuilder graph, Node k, Node v, string decay, string first) =>
        graph.Add(new WkvOp(k, v, graph.Weights.Vector(decay, k.Width), graph.Weights.Vector(first, k.Width), graph.AddState(3L * k.Width)));
}
