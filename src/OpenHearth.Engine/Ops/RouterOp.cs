using OpenHearth.Engine.Graph;

namespace OpenHearth.Engine.Ops;

/// <summary>How the experts of a token are chosen and weighed.</summary>
internal sealed record RouterShape
{
    /// <summary>Experts that a token uses.</summary>
    public required int Used { get; init; }

    /// <summary>True for a sigmoid of each score, false for a softmax over all.</summary>
    public bool Sigmoid { get; init; }

    /// <summary>True to divide the weights of the chosen by their sum.</summary>
    public bool Renormalise { get; init; }

    /// <summary>Factor of all weights.</summary>
    public float Scale { get; init; } = 1f;

    /// <summary>[experts] added to the scores for choosing, not for weighing; empty for none</summary>
    public float[] SelectionBias { get; init; } = [];
}

/// <summary>y[t] = the experts that token t uses, as numbers, then their weights: [rows, 2 · used].</summary>
internal sealed class RouterOp(Node logits, RouterShape shape) : Node(2 * shape.Used, logits.Rows, logits)
{
    private readonly float[] _scores = new float[logits.Width];

    /// <summary>The rule.</summary>
    public RouterShape Shape => shape;

    public override void Forward(StepContext step)
    {
        var logits = step.Values(Inputs[0]);
        var y = step.Values(this);
        for (var t = 0; t < step.Rows(this); t++)
        {
            var row = logits.Slice(t * Inputs[0].Width, Inputs[0].Width);
            row.CopyTo(_scores);
            Squash(_scores);
            Choose(_scores, y.Slice(t * Width, Width));
        }
    }

    private void Squash(Span<float> scores)
    {
        if (shape.Sigmoid)
        {
            foreach (ref var score in scores)
                score = 1 / (1 + MathF.Exp(-score));
            return;
        }
        var largest = float.NegativeInfinity;
        foreach (var score in scores)
            largest = MathF.Max(largest, score);
        var sum = 0f;
        foreach (ref var score in scores)
            sum += score = MathF.Exp(score - largest);
        foreach (ref var score in scores)
            score /= sum;
    }

    private void Choose(ReadOnlySpan<float> scores, Span<float> y)
    {
        var sum = 0f;
        for (var i = 0; i < shape.Used; i++)
        {
            var best = -1;
            for (var e = 0; e < scores.Length; e++)
            {
                if (!y[..i].Contains(e) && (best < 0 || Selection(scores, e) > Selection(scores, best)))
                    best = e;
            }
            y[i] = best;
            y[shape.Used + i] = scores[best];
            sum += scores[best];
        }
        foreach (ref var weight in y[shape.Used..])
            weight *= shape.Scale / (shape.Renormalise ? sum : 1f);
    }

    private float Selection(ReadOnlySpan<float> scores, int expert) =>
        scores[expert] + (shape.SelectionBias.Length > 0 ? shape.SelectionBias[expert] : 0f);
}

internal static partial class GraphOps
{
    /// <summary>Chooses experts for every token.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="logits">[rows, experts]</param>
    /// <param name="shape">The rule; it uses at most as many experts as there are</param>
    /// <returns>[rows, 2 · used] for <see cref="Experts"/></returns>
    public static Node Router(this GraphBuilder graph, Node logits, RouterShape shape) =>
        shape.Used <= logits.Width
            ? graph.Add(new RouterOp(logits, shape))
            : throw new Files.ModelFormatException($"{graph.Weights.Path}: a token can't use {shape.Used} of {logits.Width} experts");
}
