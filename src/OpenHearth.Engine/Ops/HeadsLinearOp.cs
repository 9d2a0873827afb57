using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.MatMul;

namespace OpenHearth.Engine.Ops;

/// <summary>y = x · Wᵀ for every head with a matrix of its own: [rows, heads · columns] to [rows, heads · matrix rows].</summary>
internal sealed class HeadsLinearOp(Node x, Weight[] weights) : Node(weights.Length * weights[0].Matrix.Rows, x.Rows, x)
{
    private readonly int _columns = weights[0].Matrix.Columns;
    private readonly int _results = weights[0].Matrix.Rows;
    private readonly ProductList _products = new(weights.Length);

    /// <summary>[result width, columns] of each head</summary>
    public Weight[] Weights => weights;

    public override IEnumerable<Weight> Matrices => weights;

    public override void Forward(StepContext step)
    {
        _products.Clear();
        for (var head = 0; head < weights.Length; head++)
            _products.Add(weights[head].Matrix, 0, step.Rows(this), x: head * _columns, y: head * _results);
        _products.Multiply(step.Pool, step.Values(Inputs[0]), Inputs[0].Width, [], step.Values(this), Width, step.Precision);
    }
}

internal static partial class GraphOps
{
    /// <summary>A product of every head with a matrix of its own.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="x">[rows, heads · columns]</param>
    /// <param name="weights">[result width, columns] of each head</param>
    public static Node HeadsLinear(this GraphBuilder graph, Node x, Weight[] weights) => x.Width == weights.Length * weights[0].Matrix.Columns
        ? graph.Add(new HeadsLinearOp(x, weights))
        : throw new ArgumentException($"A width of {x.Width} for {weights.Length} heads of {weights[0].Matrix.Columns}.");
}
