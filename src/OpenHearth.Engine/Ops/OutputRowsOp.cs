using OpenHearth.Engine.Graph;

namespace OpenHearth.Engine.Ops;

/// <summary>The rows whose results were asked for; everything after it is computed for them alone.</summary>
internal sealed class OutputRowsOp(Node x) : Node(x.Width, RowAxis.Outputs, x)
{
    public override void Forward(StepContext step)
    {
        var x = step.Values(Inputs[0]);
        var y = step.Values(this);
        var rows = step.OutputRows;
        for (var i = 0; i < rows.Length; i++)
            x.Slice(rows[i] * Width, Width).CopyTo(y[(i * Width)..]);
    }
}

internal static partial class GraphOps
{
    /// <summary>Narrows the tokens of a step to those whose results were asked for. Every architecture calls it once, before its last norm.</summary>
    public static Node OutputRows(this GraphBuilder graph, Node x) => graph.Add(new OutputRowsOp(x));
}
