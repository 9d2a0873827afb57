using OpenHearth.Engine.Graph;

namespace OpenHearth.Engine.Ops;

/// <summary>A range of every group of columns: what is left of each head when part of it means something else.</summary>
internal sealed class ColumnsOp(Node x, int group, int first, int count) : Node(x.Width / group * count, x.Rows, x)
{
    public override void Forward(StepContext step)
    {
        var x = step.Values(Inputs[0]);
        var y = step.Values(this);
        for (int from = first, to = 0; to < y.Length; from += group, to += count)
            x.Slice(from, count).CopyTo(y[to..]);
    }
}

internal static partial class GraphOps
{
    /// <summary>Columns [first, first + count) of every <paramref name="group"/> columns, side by side.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="x">[rows, groups · group]</param>
    /// <param name="group">Divides the width; the width itself for a plain range of columns.</param>
    /// <param name="first">Within each group.</param>
    /// <param name="count">Within each group.</param>
    public static Node Columns(this GraphBuilder graph, Node x, int group, int first, int count) =>
        x.Width % group == 0 && first >= 0 && count > 0 && first + count <= group
            ? graph.Add(new ColumnsOp(x, group, first, count))
            : throw new ArgumentException($"No columns [{first}, {first} + {count}) of groups of {group} in a width of {x.Width}.");
}
