using OpenHearth.Engine.Graph;
using OpenHearth.Kernels.Recurrence;

namespace OpenHearth.Engine.Ops;

/// <summary>Δ = ln(1 + e^(x + b)), or e^(a · Δ).</summary>
internal sealed class DecayOp(Node x, float[] bias, float[] rate) : Node(x.Width, x.Rows, x)
{
    /// <summary>[width] b</summary>
    public float[] Bias => bias;

    /// <summary>[width] a, or empty for Δ itself</summary>
    public float[] Rate => rate;

    public override bool MayOverwrite(Node input) => true;

    public override void Forward(StepContext step) =>
        Decay.Forward(step.Pool, step.Values(Inputs[0]), bias, rate, step.Values(this), step.Rows(this), Width);
}

internal static partial class GraphOps
{
    /// <summary>softplus(x + b): how much of a token is taken in.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="x">[rows, width]</param>
    /// <param name="bias">Canonical name of b, [width].</param>
    public static Node Softplus(this GraphBuilder graph, Node x, string bias) => graph.Add(new DecayOp(x, graph.Weights.Vector(bias, x.Width), []));

    /// <summary>e^(a · softplus(x + b)): how much of the past a token leaves.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="x">[rows, heads · n]</param>
    /// <param name="bias">Canonical name of b, [heads · n].</param>
    /// <param name="rate">Canonical name of a, [heads]; negative numbers</param>
    /// <param name="heads">Number of heads.</param>
    public static Node Decay(this GraphBuilder graph, Node x, string bias, string rate, int heads)
    {
        var perHead = graph.Weights.Vector(rate, heads);
        var perValue = new float[x.Width];
        for (var i = 0; i < perValue.Length; i++)
            perValue[i] = perHead[i / (x.Width / heads)];
        return graph.Add(new DecayOp(x, graph.Weights.Vector(bias, x.Width), perValue));
    }
}
