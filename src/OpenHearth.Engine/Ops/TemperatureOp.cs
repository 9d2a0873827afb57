using OpenHearth.Engine.Graph;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Ops;

/// <summary>
/// y[t] = x[t] · (1 + scale · ln(1 + ⌊(position + first) / floor⌋)): queries that stay sharp in long texts without rotary positions.
/// Source: Meta's Llama 4 reference code, 2025, after Nakanishi, Scalable-Softmax, 2025.
/// </summary>
internal sealed class TemperatureOp(Node x, float scale, int floor, int first) : Node(x.Width, RowAxis.Tokens, x)
{
    public override bool MayOverwrite(Node input) => input == Inputs[0];

    public override void Forward(StepContext step)
    {
        var x = step.Values(Inputs[0]);
        var y = step.Values(this);
        for (var t = 0; t < step.TokenCount; t++)
            Arithmetic.Scale(step.Pool, x.Slice(t * Width, Width), Factor(step.Positions[t]), y.Slice(t * Width, Width), 1, Width);
    }

    private float Factor(int position) => 1 + (scale * MathF.Log(1 + (((long)position + first) / floor)));
}

internal static partial class GraphOps
{
    /// <summary>Queries times a factor that grows with the position.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="x">[tokens, width]</param>
    /// <param name="scale">What each power of e adds.</param>
    /// <param name="floor">Tokens that count as one; at least 1</param>
    /// <param name="first">What the first position counts as.</param>
    public static Node Temperature(this GraphBuilder graph, Node x, float scale, int floor, int first) => graph.Add(new TemperatureOp(x, scale, floor, first));
}
