using OpenHearth.Engine.Graph;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Ops;

/// <summary>y = x · w, every row with the same weights.</summary>
internal sealed class ScaleColumnsOp(Node x, float[] weight) : Node(x.Width, x.Rows, x)
{
    /// <summary>[width]</summary>
    public float[] Weight => weight;

    public override bool MayOverwrite(Node input) => true;

    public override void Forward(StepContext step) =>
        Arithmetic.Multiply(step.Pool, step.Values(Inputs[0]), weight, step.Values(this), step.Rows(this), Width);
}

internal static partial class GraphOps
{
    /// <summary>Every row times the same weights, value by value.</summary>
    public static Node ScaleColumns(this GraphBuilder graph, Node x, float[] weight) => graph.Add(new ScaleColumnsOp(x, weight));
}
