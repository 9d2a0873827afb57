using OpenHearth.Engine.Graph;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Ops;

/// <summary>y = (x - mean(x)) / √(variance(x) + ε) · w + b, over each row or over each head of it.</summary>
internal sealed class LayerNormOp(Node x, float[] weight, float[] bias, float epsilon, int group) : Node(x.Width, x.Rows, x)
{
    /// <summary>[group], or empty for 1</summary>
    public float[] Weight => weight;

    /// <summary>[group], or empty for 0</summary>
    public float[] Bias => bias;

    public override bool MayOverwrite(Node input) => input == Inputs[0];

    public override void Forward(StepContext step) =>
        LayerNorm.Forward(step.Pool, step.Values(Inputs[0]), weight, bias, epsilon, step.Values(this), step.Rows(this) * (Width / group), group);
}

internal static partial class GraphOps
{
    /// <summary>Layer norm of each row, or of each head.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="x">[rows, width]</param>
    /// <param name="name">Canonical name without <c>.weight</c> and <c>.bias</c>, which the model may have or not; null for neither</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="headWidth">Values that share a norm; 0 for the whole row.</param>
    public static Node LayerNorm(this GraphBuilder graph, Node x, string? name, float epsilon, int headWidth = 0)
    {
        var group = headWidth > 0 ? headWidth : x.Width;
        float[] Optional(string ending) => name is not null && graph.Weights.Has(name + ending) ? graph.Weights.Vector(name + ending, group) : [];
        return graph.Add(new LayerNormOp(x, Optional(".weight"), Optional(".bias"), epsilon, group));
    }
}
