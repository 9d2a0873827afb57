using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.MatMul;

namespace OpenHearth.Engine.Ops;

/// <summary>y = x · Wᵀ for every head with a matrix of its own: [rows, heads · columns] to [rows, heads · matrix rows].</summary>
internal sealed class HeadsLinearOp(Node x, Weight[] weights) : Node(weights.Length * weights[0].Matrix.Rows, x.Rows, x)
{
    private readonly int _columns = weights[0].Matrix.Columns;
    private readonly int _results = weights[0].Matrix.Rows;

    /// <summary>[result width, columns] of each head</summary>
    public Weight[] Weights => weights;

    // one head at a time, its rows together
    public override int ScratchWidth => _columns + _results;

    public override IEnumerable<Weight> Matrices => weights;

    public override void Forward(StepContext step)
    {
        var x = step.Values(Inputs[0]);
        var y = step.Values(this);
        var rows = step.Rows(this);
        for (var head = 0; head < weights.Length; head++)
        {
            if (rows == 1)
                Product.Multiply(step.Pool, weights[head].Matrix, x.Slice(head * _columns, _columns), y.Slice(head * _results, _results), 1, step.Precision);
            else
                Multiply(step, head, x, y, rows);
        }
    }

    private void Multiply(StepContext step, int head, ReadOnlySpan<float> x, Span<float> y, int rows)
    {
        var gathered = step.Scratch(this)[..(rows * _columns)];
        var results = step.Scratch(this).Slice(gathered.Length, rows * _results);
        for (var r = 0; r < rows; r++)
            x.Slice((r * Inputs[0].Width) + (head * _columns), _columns).CopyTo(gathered[(r * _columns)..]);
        Product.Multiply(step.Pool, weights[head].Matrix, gathered, results, rows, step.Precision);
        for (var r = 0; r < rows; r++)
            results.Slice(r * _results, _results).CopyTo(y[((r * Width) + (head * _results))..]);
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
