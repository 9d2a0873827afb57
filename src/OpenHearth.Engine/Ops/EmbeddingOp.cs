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
    /// <summary>Embeddings plus what the first segment adds, where the model tells segments apart.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="x">[tokens, width]</param>
    public static Node FirstSegment(this GraphBuilder graph, Node x)
    {
        if (!graph.Weights.Has("token_types.weight"))
            return x;
        var first = new float[x.Width];
        graph.Weights.Matrix("token_types.weight", graph.Weights.Rows("token_types.weight"), x.Width).Matrix.DecodeRow(0, first);
        return graph.Bias(x, first);
    }

    /// <summary>The rows of a table that the tokens name.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="name">Canonical name without <c>.weight</c>; the table is [vocabulary, width]</param>
    /// <param name="width">Values a token.</param>
    public static Node Embedding(this GraphBuilder graph, string name, int width) =>
        graph.Add(new EmbeddingOp(graph.Weights.Matrix($"{name}.weight", graph.Weights.Rows($"{name}.weight"), width)));
}
