using OpenHearth.Engine.Graph;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Ops;

/// <summary>y = x · factor.</summary>
internal sealed class ScaleOp(Node x, float factor) : Node(x.Width, x.Rows, x)
{
    /// <summary>The factor.</summary>
    public float Factor => factor;

    public override bool MayOverwrite(Node input) => input == Inputs[0];

    public override void Forward(StepContext step) =>
        Arithmetic.Scale(step.Pool, step.Values(Inputs[0]), factor, step.Values(this), step.Rows(this), Width);
}

internal static partial class GraphOps
{
    /// <summary>A value times a number.</summary>
    public static Node Scale(this GraphBuilder graph, Node x, float factor) => graph.Add(new ScaleOp(x, factor));
}
