using OpenHearth.Engine.Graph;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Ops;

/// <summary>y = x / √(mean(x²) + ε) · w, over each row or over each head of it.</summary>
internal sealed class RmsNormOp(Node x, float[] weight, float epsilon, int group) : Node(x.Width, x.Rows, x)
{
    /// <summary>[group], or empty for 1</summary>
    public float[] Weight => weight;

    /// <summary>Added to the mean square.</summary>
    public float Epsilon => epsilon;

    /// <summary>Values that share a norm: the width, or that of a head.</summary>
    public int Group => group;

    public override bool MayOverwrite(Node input) => input == Inputs[0];

    public override void Forward(StepContext step) =>
        RmsNorm.Forward(step.Pool, step.Values(Inputs[0]), weight, epsilon, step.Values(this), step.Rows(this) * (Width / group), group);
}

internal static partial class GraphOps
{
    /// <summary>Root mean square norm of each row.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="x">[rows, width]</param>
    /// <param name="name">Canonical name without <c>.weight</c>.</param>
    /// <param name="epsilon">Added to the mean square.</param>
    public static Node RmsNorm(this GraphBuilder graph, Node x, string name, float epsilon) => graph.RmsNorm(x, name, epsilon, x.Width);

    /// <summary>Root mean square norm of each head, all heads with the same weights.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="x">[rows, heads · headWidth]</param>
    /// <param name="name">Canonical name without <c>.weight</c>, the weights are [headWidth]; null for a norm without</param>
    /// <param name="epsilon">Added to the mean square.</param>
    /// <param name="headWidth">Divides the width.</param>
    public static Node RmsNorm(this GraphBuilder graph, Node x, string? name, float epsilon, int headWidth) =>
        graph.Add(new RmsNormOp(x, name is null ? [] : graph.Weights.Vector($"{name}.weight", headWidth), epsilon, headWidth));

    /// <summary>Root mean square norm of each of some groups of columns, which have weights of their own.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="x">[rows, width]</param>
    /// <param name="name">Canonical name without <c>.weight</c>; the weights are [width]</param>
    /// <param name="epsilon">Added to the mean square.</param>
    /// <param name="groups">Divides the width.</param>
    public static Node GroupedRmsNorm(this GraphBuilder graph, Node x, string name, float epsilon, int groups) => groups == 1
        ? graph.RmsNorm(x, name, epsilon)
        : graph.ScaleColumns(graph.Add(new RmsNormOp(x, [], epsilon, x.Width / groups)), graph.Weights.Vector($"{name}.weight", x.Width));

    /// <summary>scale · x / √(Σ x² + ε) of each head.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="x">[rows, heads · headWidth]</param>
    /// <param name="epsilon">Added to the sum of squares.</param>
    /// <param name="headWidth">Divides the width.</param>
    /// <param name="scale">Length of the result.</param>
    public static Node L2Norm(this GraphBuilder graph, Node x, float epsilon, int headWidth, float scale = 1f)
    {
        var weight = new float[headWidth];
        Array.Fill(weight, scale / MathF.Sqrt(headWidth));
        return graph.Add(new RmsNormOp(x, weight, epsilon / headWidth, headWidth));
    }
}
