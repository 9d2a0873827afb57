using OpenHearth.Engine.Graph;

namespace OpenHearth.Engine.Ops;

/// <summary>Every value replaced by the sum of its group of columns.</summary>
internal sealed class SpreadSumsOp(Node x, int group) : Node(x.Width, x.Rows, x)
{
    /// <summary>Values that share a sum.</summary>
    public int Group => group;

    public override bool MayOverwrite(Node input) => true;

    public override void Forward(StepContext step)
    {
        var x = step.Values(Inputs[0]);
        var y = step.Values(this);
        for (var first = 0; first < x.Length; first += group)
        {
            var sum = 0f;
            foreach (var value in x.Slice(first, group))
                sum += value;
            y.Slice(first, group).Fill(sum);
        }
    }
}

internal static partial class GraphOps
{
    /// <summary>The sum of each head, in the place of each of its values.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="x">[rows, heads · headWidth]</param>
    /// <param name="headWidth">Divides the width.</param>
    public static Node SpreadSums(this GraphBuilder graph, Node x, int headWidth) => graph.Add(new SpreadSumsOp(x, headWidth));
}
