using OpenHearth.Engine.Graph;

namespace OpenHearth.Engine.Ops;

internal static partial class GraphOps
{
    /// <summary>Queries, keys and values out of one matrix: all queries come first, then all keys, then all values.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="x">[tokens, width]</param>
    /// <param name="name">Canonical name without <c>.weight</c> and <c>.bias</c>.</param>
    /// <param name="heads">Query heads.</param>
    /// <param name="keyHeads">Key and value heads.</param>
    /// <param name="headWidth">Values a head.</param>
    public static (Node Queries, Node Keys, Node Values) QueryKeyValue(this GraphBuilder graph, Node x, string name, int heads, int keyHeads, int headWidth)
    {
        CheckHeads(graph, heads, keyHeads);
        var queries = checked(heads * headWidth);
        var keys = checked(keyHeads * headWidth);
        var total = checked(queries + (2 * keys));
        return (graph.Linear(x, name, queries, 0, total), graph.Linear(x, name, keys, queries, total), graph.Linear(x, name, keys, queries + keys, total));
    }
}
