using OpenHearth.Engine.Graph;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Ops;

/// <summary>y = a · b, value by value.</summary>
internal sealed class MultiplyOp(Node a, Node b) : Node(a.Width, a.Rows, a, b)
{
    public override bool MayOverwrite(Node input) => true;

    public override void Forward(StepContext step) =>
        Arithmetic.Multiply(step.Pool, step.Values(Inputs[0]), step.Values(Inputs[1]), step.Values(this), step.Rows(this), Width);
}

internal static partial class GraphOps
{
    /// <summary>The product, value by value, of two values of the same shape.</summary>
    public static Node Multiply(this GraphBuilder graph, Node a, Node b) =>
        a.Width == b.Width && a.Rows == b.Rows ? graph.Add(new MultiplyOp(a, b)) : throw new ArgumentException($"Can't multiply widths {a.Width} and {b.Width}.");
}
