using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Elementwise;
using OpenHearth.Kernels.MatMul;

namespace OpenHearth.Engine.Ops;

/// <summary>y = scale · x · Wᵀ + b.</summary>
internal sealed class LinearOp(Node x, Weight weight, float[]? bias) : Node(weight.Matrix.Rows, x.Rows, x)
{
    /// <summary>[width of y, width of x]</summary>
    public Weight Weight => weight;

    /// <summary>[width of y], or null</summary>
    public float[]? Bias => bias;

    /// <summary>True for the scores of the vocabulary, which show every rounding (docs/log.md).</summary>
    public bool IsHead { get; init; }

    public override IEnumerable<Weight> Matrices => [weight];

    public override void Forward(StepContext step)
    {
        var precision = IsHead && step.Precision == Precision.Fast ? Precision.Fine : step.Precision;
        Product.Multiply(step.Pool, weight.Matrix, step.Values(Inputs[0]), step.Values(this), step.Rows(this), precision);
        Finish(step);
    }

    /// <summary>Ends a product that a fusion has computed.</summary>
    public void Finish(StepContext step)
    {
        if (weight.Scale != 1)
            Arithmetic.Scale(step.Pool, step.Values(this), weight.Scale, step.Values(this), step.Rows(this), Width);
        if (bias is not null)
            Arithmetic.Add(step.Pool, step.Values(this), bias, step.Values(this), step.Rows(this), Width);
    }
}

internal static partial class GraphOps
{
    /// <summary>A product with a weight matrix, plus a bias where the model has one.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="x">[rows, columns of the matrix]</param>
    /// <param name="name">Canonical name without <c>.weight</c> and <c>.bias</c>.</param>
    /// <param name="width">Values a row of the result.</param>
    public static Node Linear(this GraphBuilder graph, Node x, string name, int width) => graph.Linear(x, name, width, 0, width);

    /// <summary>A product with some rows of a weight matrix that holds several, such as queries, keys and values.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="x">[rows, columns of the matrix]</param>
    /// <param name="name">Canonical name without <c>.weight</c> and <c>.bias</c>.</param>
    /// <param name="width">Values a row of the result.</param>
    /// <param name="first">First row of the matrix that is used.</param>
    /// <param name="total">Rows that the matrix has.</param>
    /// <param name="isHead">True for the scores of the vocabulary.</param>
    public static Node Linear(this GraphBuilder graph, Node x, string name, int width, int first, int total, bool isHead = false)
    {
        var bias = graph.Weights.Has($"{name}.bias") ? graph.Weights.Vector($"{name}.bias", total).AsSpan(first, width).ToArray() : null;
        return graph.Add(new LinearOp(x, graph.Weights.Matrix($"{name}.weight", total, x.Width, first, width, scaled: true), bias) { IsHead = isHead });
    }

    /// <summary>The scores of the vocabulary: a product with <c>output</c>, or with the embedding where the model has no other.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="x">[outputs, width]</param>
    public static Node Head(this GraphBuilder graph, Node x)
    {
        graph.BeforeHead = x;
        var name = graph.Weights.Has("output.weight") ? "output" : "token_embd";
        var width = graph.Weights.Rows($"{name}.weight");
        return graph.Linear(x, name, width, 0, width, isHead: true);
    }
}
