using OpenHearth.Engine.Files;
using OpenHearth.Engine.Graph;

namespace OpenHearth.Engine.Ops;

/// <summary>
/// y[t] = the two best experts of token t, then their weights: [rows, 4]. The first one's weight is a softmax over all whose
/// logits come close to its own, the second one's the same over those without the first.
/// Source: Liu et al., GRIN: GRadient-INformed MoE, 2024, as it is at inference.
/// </summary>
internal sealed class SparseMixerOp(Node logits, float tolerance) : Node(4, logits.Rows, logits)
{
    /// <summary>How far below the best a logit may be, relative to the larger of its own magnitude and the best, and still count.</summary>
    public float Tolerance => tolerance;

    public override void Forward(StepContext step)
    {
        var experts = Inputs[0].Width;
        var logits = step.Values(Inputs[0]);
        var y = step.Values(this);
        for (var t = 0; t < step.Rows(this); t++)
        {
            var row = logits.Slice(t * experts, experts);
            var (first, firstWeight) = Choose(row, -1, tolerance);
            var (second, secondWeight) = Choose(row, first, tolerance);
            (y[4 * t], y[(4 * t) + 1], y[(4 * t) + 2], y[(4 * t) + 3]) = (first, second, firstWeight, secondWeight);
        }
    }

    /// <summary>The best expert but one, and its weight.</summary>
    internal static (int Expert, float Weight) Choose(ReadOnlySpan<float> logits, int without, float tolerance)
    {
        var best = without == 0 ? 1 : 0;
        for (var e = best + 1; e < logits.Length; e++)
        {
            if (e != without && logits[e] > logits[best])
                best = e;
        }
        var sum = 0f;
        for (var e = 0; e < logits.Length; e++)
        {
            var distance = logits[best] - logits[e];
            if (e != without && !(distance / MathF.Max(MathF.Abs(logits[e]), logits[best]) > tolerance))
                sum += MathF.Exp(-distance);
        }
        return (best, 1 / sum);
    }
}

internal static partial class GraphOps
{
    /// <summary>Chooses two experts for every token by SparseMixer.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="logits">[rows, experts]</param>
    /// <param name="tolerance">How far below the best a logit may be, as a share, and still count.</param>
    /// <returns>[rows, 4] for <see cref="Experts"/></returns>
    public static Node SparseMixer(this GraphBuilder graph, Node logits, float tolerance) => logits.Width >= 2
        ? graph.Add(new SparseMixerOp(logits, tolerance))
        : throw new ModelFormatException($"{graph.Weights.Path}: a token can't use 2 of {logits.Width} experts");
}
