using OpenHearth.Engine.Graph;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Ops;

/// <summary>y[t] = x[t] · factors[t], one factor a row.</summary>
internal sealed class ScaleRowsOp(Node x, Node factors) : Node(x.Width, x.Rows, x, factors)
{
    public override bool MayOverwrite(Node input) => input == Inputs[0];

    public override void Forward(StepContext step)
    {
        var x = step.Values(Inputs[0]);
        var y = step.Values(this);
        var factors = step.Values(Inputs[1]);
        for (var t = 0; t < factors.Length; t++)
            Arithmetic.Scale(step.Pool, x.Slice(t * Width, Width), factors[t], y.Slice(t * Width, Width), 1, Width);
    }
}

internal static partial class GraphOps
{
    /// <summary>Each row times a number of its own.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="x">[rows, width]</param>
    /// <param name="factors">[rows, 1]</param>
    public static Node ScaleRows(this GraphBuilder graph, Node x, Node factors) => factors.Width == 1 && factors.Rows == x.Rows
        ? graph.Add(new ScaleRowsOp(x, factors))
        : throw new ArgumentException($"{factors.Width} factors for each row.");
}
