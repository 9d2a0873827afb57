using OpenHearth.Engine.Files;
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

    /// <summary>[experts] factors of the weights, after all of the above; empty for none</summary>
    public float[] ExpertScale { get; init; } = [];

    /// <summary>Groups that the experts are divided into, in order; a divisor of their number.</summary>
    public int Groups { get; init; } = 1;

    /// <summary>Groups that a token may choose from: those with the best scores.</summary>
    public int UsedGroups { get; init; } = 1;

    /// <summary>How many of a group's best experts make its score, as a sum: 1 or 2.</summary>
    public int GroupBest { get; init; } = 1;

    /// <summary>[experts] added to the scores for choosing, not for weighing; empty for none</summary>
    public float[] SelectionBias { get; init; } = [];
}

/// <summary>y[t] = the experts that token t uses, as numbers, then their weights: [rows, 2 · used].</summary>
internal sealed class RouterOp(Node logits, RouterShape shape) : Node(2 * shape.Used, logits.Rows, logits)
{
    private readonly float[] _scores = new float[logits.Width];
    private readonly float[] _ranks = new float[logits.Width]; // what experts are chosen by
    private readonly float[] _groups = new float[shape.Groups];

    /// <summary>The rule.</summary>
    public RouterShape Shape => shape;

    public override void Forward(StepContext step)
    {
        var logits = step.Values(Inputs[0]);
        var y = step.Values(this);
        for (var t = 0; t < step.Rows(this); t++)
            Route(logits.Slice(t * Inputs[0].Width, Inputs[0].Width), y.Slice(t * Width, Width));
    }

    /// <summary>Chooses for one token.</summary>
    /// <param name="logits">[experts]</param>
    /// <param name="y">[2 · used]</param>
    internal void Route(ReadOnlySpan<float> logits, Span<float> y)
    {
        logits.CopyTo(_scores);
        Squash(_scores);
        for (var e = 0; e < _scores.Length; e++)
            _ranks[e] = _scores[e] + (shape.SelectionBias.Length > 0 ? shape.SelectionBias[e] : 0f);
        if (shape.UsedGroups < shape.Groups)
            LeaveOutGroups();
        Choose(y);
    }

    private void LeaveOutGroups()
    {
        var size = _ranks.Length / shape.Groups;
        for (var group = 0; group < shape.Groups; group++)
            _groups[group] = SumOfBest(_ranks.AsSpan(group * size, size), shape.GroupBest);
        for (var left = shape.UsedGroups; left > 0; left--)
            _groups[Best(_groups)] = float.NegativeInfinity;
        for (var group = 0; group < shape.Groups; group++)
        {
            if (_groups[group] != float.NegativeInfinity)
                _ranks.AsSpan(group * size, size).Fill(float.NegativeInfinity);
        }
    }

    private static float SumOfBest(ReadOnlySpan<float> ranks, int count)
    {
        var (first, second) = (float.NegativeInfinity, float.NegativeInfinity);
        foreach (var rank in ranks)
            (first, second) = rank > first ? (rank, first) : (first, MathF.Max(rank, second));
        return count == 1 ? first : first + second;
    }

    private static int Best(ReadOnlySpan<float> ranks)
    {
        var best = 0;
        for (var i = 1; i < ranks.Length; i++)
        {
            if (ranks[i] > ranks[best])
                best = i;
        }
        return best;
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

    private void Choose(Span<float> y)
    {
        var sum = 0f;
        for (var i = 0; i < shape.Used; i++)
        {
            var best = -1;
            for (var e = 0; e < _ranks.Length; e++)
            {
                if (!y[..i].Contains(e) && (best < 0 || _ranks[e] > _ranks[best]))
                    best = e;
            }
            y[i] = best;
            y[shape.Used + i] = _scores[best];
            sum += _scores[best];
        }
        foreach (ref var weight in y[shape.Used..])
            weight *= shape.Scale / (shape.Renormalise ? MathF.Max(sum, 1e-20f) : 1f);
        if (shape.ExpertScale.Length > 0)
        {
            for (var i = 0; i < shape.Used; i++)
                y[shape.Used + i] *= shape.ExpertScale[(int)y[i]];
        }
    }
}

internal static partial class GraphOps
{
    /// <summary>Chooses experts for every token.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="logits">[rows, experts]</param>
    /// <param name="shape">The rule; it uses at most as many experts as there are</param>
    /// <returns>[rows, 2 · used] for <see cref="Experts"/></returns>
    public static Node Router(this GraphBuilder graph, Node logits, RouterShape shape)
    {
        if (shape.Used > logits.Width)
            throw new ModelFormatException($"{graph.Weights.Path}: a token can't use {shape.Used} of {logits.Width} experts");
        if (logits.Width % shape.Groups != 0 || shape.UsedGroups > shape.Groups || shape.GroupBest is < 1 or > 2 || logits.Width / shape.Groups < shape.GroupBest)
            throw new ModelFormatException($"{graph.Weights.Path}: {logits.Width} experts can't be chosen from {shape.UsedGroups} of {shape.Groups} groups");
        return graph.Add(new RouterOp(logits, shape));
    }
}
