using OpenHearth.Engine.Graph;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Ops;

/// <summary>y = x + b, the same b for every row.</summary>
internal sealed class BiasOp(Node x, float[] bias) : Node(x.Width, x.Rows, x)
{
    /// <summary>[width]</summary>
    public float[] Bias => bias;

    public override bool MayOverwrite(Node input) => input == Inputs[0];

    public override void Forward(StepContext step) =>
        Arithmetic.Add(step.Pool, step.Values(Inputs[0]), bias, step.Values(this), step.Rows(this), Width);
}

internal static partial class GraphOps
{
    /// <summary>A value plus the same vector in every row.</summary>
    public static Node Bias(this GraphBuilder graph, Node x, float[] bias) =>
        bias.Length == x.Width ? graph.Add(new BiasOp(x, bias)) : throw new ArgumentException($"A bias of {bias.Length} for {x.Width} values.");
}
