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
}
