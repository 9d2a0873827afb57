using OpenHearth.Engine.Graph;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Ops;

/// <summary>y = f(x).</summary>
internal sealed class ActivationOp(Node x, ActivationKind kind) : Node(x.Width, x.Rows, x)
{
    /// <summary>f</summary>
    public ActivationKind Kind => kind;

    public override bool MayOverwrite(Node input) => true;

    public override void Forward(StepContext step) =>
        Activation.Forward(step.Pool, kind, step.Values(Inputs[0]), step.Values(this), step.Rows(this), Width);
}

internal static partial class GraphOps
{
    /// <summary>f(x), value by value.</summary>
    public static Node Activate(this GraphBuilder graph, Node x, ActivationKind kind) => graph.Add(new ActivationOp(x, kind));

    /// <summary>The feed-forward block without a gate: down(f(up(x))).</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="x">[rows, width]</param>
    /// <param name="block">Canonical name of the layer, such as <c>blk.0</c>; the matrices are its ffn_up and ffn_down</param>
    /// <param name="hidden">Width between.</param>
    /// <param name="kind">f</param>
    public static Node FeedForward(this GraphBuilder graph, Node x, string block, int hidden, ActivationKind kind) =>
        graph.Linear(graph.Activate(graph.Linear(x, $"{block}.ffn_up", hidden), kind), $"{block}.ffn_down", x.Width);
}
