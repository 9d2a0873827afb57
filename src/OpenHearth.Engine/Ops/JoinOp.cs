using OpenHearth.Engine.Graph;

namespace OpenHearth.Engine.Ops;

/// <summary>The columns of a and b side by side, group by group: the opposite of <see cref="ColumnsOp"/>.</summary>
internal sealed class JoinOp(Node a, Node b, int groups) : Node(a.Width + b.Width, a.Rows, a, b)
{
    public override void Forward(StepContext step)
    {
        var a = step.Values(Inputs[0]);
        var b = step.Values(Inputs[1]);
        var y = step.Values(this);
        var (first, second) = (Inputs[0].Width / groups, Inputs[1].Width / groups);
        for (var group = 0; group < step.Rows(this) * groups; group++)
        {
            var to = y[(group * (first + second))..];
            a.Slice(group * first, first).CopyTo(to);
            b.Slice(group * second, second).CopyTo(to[first..]);
        }
    }
}

internal static partial class GraphOps
{
    /// <summary>Of every head, what <paramref name="a"/> has of it, then what <paramref name="b"/> has.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="a">[rows, groups · some]</param>
    /// <param name="b">[rows, groups · others]</param>
    /// <param name="groups">Number of heads; 1 to put whole rows side by side.</param>
    public static Node Join(this GraphBuilder graph, Node a, Node b, int groups) =>
        a.Rows == b.Rows && a.Width % groups == 0 && b.Width % groups == 0
            ? graph.Add(new JoinOp(a, b, groups))
            : throw new ArgumentException($"Can't join widths {a.Width} and {b.Width} in {groups} groups.");
}
