using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Weights;

namespace OpenHearth.Engine.Ops;

/// <summary>y[t] = table[token of t].</summary>
internal sealed class EmbeddingOp(Weight table) : Node(table.Matrix.Columns, RowAxis.Tokens)
{
    /// <summary>[vocabulary, width]</summary>
    public Weight Table => table;

    public override void Forward(StepContext step)
    {
        var y = step.Values(this);
        var tokens = step.Tokens;
        for (var t = 0; t < tokens.Length; t++)
            table.Matrix.DecodeRow(tokens[t], y.Slice(t * Width, Width));
    }
}

internal static partial class GraphOps
{
    /// <summary>The rows of a table that the tokens name.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="name">Canonical name without <c>.weight</c>; the table is [vocabulary, width]</param>
    /// <param name="width">Values a token.</param>
    public static Node Embedding(this GraphBuilder graph, string name, int width) =>
        graph.Add(new EmbeddingOp(graph.Weights.Matrix($"{name}.weight", graph.Weights.Rows($"{name}.weight"), width)));
}
