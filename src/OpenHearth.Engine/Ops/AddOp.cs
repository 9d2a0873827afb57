using OpenHearth.Engine.Graph;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Ops;

/// <summary>y = a + b.</summary>
internal sealed class AddOp(Node a, Node b) : Node(a.Width, a.Rows, a, b)
{
    public override bool MayOverwrite(Node input) => true;

    public override void Forward(StepContext step) =>
        Arithmetic.Add(step.Pool, step.Values(Inputs[0]), step.Values(Inputs[1]), step.Values(this), step.Rows(this), Width);
}

internal static partial class GraphOps
{
    /// <summary>A sum of two values of the same shape.</summary>
    public static Node Sum(this GraphBuilder graph, Node a, Node b) =>
        a.Width == b.Width && a.Rows == b.Rows ? graph.Add(new AddOp(a, b)) : throw new ArgumentException($"Can't add widths {a.Width} and {b.Width}.");
}
