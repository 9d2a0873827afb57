using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;

namespace OpenHearth.Engine.Tests.Ops;

public sealed class RouterOpTests
{
    [Theory]
    [InlineData(8, 1, 1, 1, false)]
    [InlineData(8, 2, 1, 2, true)]
    [InlineData(12, 4, 2, 2, true)]
    [InlineData(12, 4, 3, 1, false)]
    [InlineData(15, 5, 2, 1, true)]
    public void Route_OfRandomScores_IsTheFormula(int experts, int groups, int usedGroups, int groupBest, bool sigmoid)
    {
        var random = new Random(5);
        var shape = new RouterShape
        {
            Used = 3,
            Sigmoid = sigmoid,
            Renormalise = true,
            Scale = 2.5f,
            Groups = groups,
            UsedGroups = usedGroups,
            GroupBest = groupBest,
            SelectionBias = sigmoid ? [.. Enumerable.Range(0, experts).Select(_ => (float)random.NextDouble() - 0.5f)] : [],
        };
        var op = new RouterOp(new Source(experts), shape);
        for (var repeat = 0; repeat < 50; repeat++)
        {
            var logits = Enumerable.Range(0, experts).Select(_ => (float)(6 * random.NextDouble()) - 3).ToArray();
            var y = new float[2 * shape.Used];
            op.Route(logits, y);
            var expected = Expected(logits, shape);
            Assert.Equal(expected.Select(choice => (float)choice.Expert), y[..shape.Used]);
            for (var i = 0; i < shape.Used; i++)
                Assert.Equal(expected[i].Weight, y[shape.Used + i], 1e-5);
        }
    }

    private static (int Expert, double Weight)[] Expected(float[] logits, RouterShape shape)
    {
        var total = logits.Sum(logit => Math.Exp(logit));
        var scores = logits.Select(logit => shape.Sigmoid ? 1 / (1 + Math.Exp(-logit)) : Math.Exp(logit) / total).ToArray();
        var ranks = scores.Select((score, e) => score + (shape.SelectionBias.Length > 0 ? shape.SelectionBias[e] : 0)).ToArray();
        var size = scores.Length / shape.Groups;
        var groups = Enumerable.Range(0, shape.Groups)
            .OrderByDescending(group => ranks.Skip(group * size).Take(size).OrderDescending().Take(shape.GroupBest).Sum())
            .Take(shape.UsedGroups).ToHashSet();
        var chosen = Enumerable.Range(0, scores.Length).Where(e => groups.Contains(e / size)).OrderByDescending(e => ranks[e]).Take(shape.Used).ToArray();
        return [.. chosen.Select(e => (e, scores[e] / chosen.Sum(other => scores[other]) * shape.Scale))];
    }

    private sealed class Source(int width) : Node(width, RowAxis.Tokens)
    {
        public override void Forward(StepContext step) => throw new NotSupportedException();
    }
}
