using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Weights;

namespace OpenHearth.Engine.Ops;

/// <summary>y[t] = table[position of t]: learned positions.</summary>
internal sealed class PositionEmbeddingOp(Weight table) : Node(table.Matrix.Columns, RowAxis.Tokens)
{
    /// <summary>[positions, width]</summary>
    public Weight Table => table;

    public override void Forward(StepContext step)
    {
        var y = step.Values(this);
        var positions = step.Positions;
        for (var t = 0; t < positions.Length; t++)
            table.Matrix.DecodeRow(positions[t], y.Slice(t * Width, Width));
    }
}

internal static partial class GraphOps
{
    /// <summary>The rows of a table that the tokens' positions name.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="name">Canonical name without <c>.weight</c>.</param>
    /// <param name="positions">Rows of the table: the longest context there can be.</param>
    /// <param name="width">Values a token.</param>
    public static Node PositionEmbedding(this GraphBuilder graph, string name, int positions, int width) =>
        graph.Add(new PositionEmbeddingOp(graph.Weights.Matrix($"{name}.weight", positions, width)));
}
