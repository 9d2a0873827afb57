using OpenHearth.Engine.Evaluation;

namespace OpenHearth.Engine.Tests.Evaluation;

public sealed class AgreementTests
{
    [Fact]
    public void Measure_AModelWithItself_AgreesEverywhere()
    {
        using var file = new TinyLlama();
        using var model = Model.Load(file.Path);
        using var same = Model.Load(file.Path);
        var agreement = Agreement.Measure(model, same, Ids(64), 16, cancellation: TestContext.Current.CancellationToken).Last();
        Assert.Equal(1, agreement.TopAgreement);
        Assert.Equal(0, agreement.MeanDivergence, 1e-12);
        Assert.Equal(agreement.ReferencePerplexity.Value, agreement.Perplexity.Value);
        Assert.Equal(4 * 7, agreement.Perplexity.Scored);
    }

    [Fact]
    public void Measure_TwoModels_GivesTheDivergenceByItsDefinition()
    {
        using var file = new TinyLlama();
        using var other = new TinyLlama(seed: 8);
        using var model = Model.Load(file.Path);
        using var reference = Model.Load(other.Path);
        var ids = Ids(8);
        var agreement = Agreement.Measure(model, reference, ids, 8, cancellation: TestContext.Current.CancellationToken).Last();
        var (q, p) = (Probabilities(model, ids), Probabilities(reference, ids));
        var (divergence, same) = (0.0, 0);
        for (var row = 4; row < 7; row++)
        {
            divergence += p[row].Zip(q[row], (a, b) => a * Math.Log(a / b)).Sum();
            same += p[row].IndexOf(p[row].Max()) == q[row].IndexOf(q[row].Max()) ? 1 : 0;
        }
        Assert.Equal(divergence / 3, agreement.MeanDivergence, 1e-5);
        Assert.Equal(same / 3.0, agreement.TopAgreement, 1e-12);
        Assert.True(agreement.LargestDivergence >= agreement.MeanDivergence);
    }

    private static int[] Ids(int count) => [.. Enumerable.Range(0, count).Select(i => (i * 17 + 5) % TinyLlama.Vocabulary)];

    private static List<List<double>> Probabilities(Model model, int[] ids)
    {
        using var session = model.CreateSession();
        var logits = new float[7 * TinyLlama.Vocabulary];
        session.Step(ids.AsSpan(0, 7), logits);
        return [.. logits.Chunk(TinyLlama.Vocabulary).Select(row =>
        {
            var total = row.Sum(logit => Math.Exp(logit));
            return row.Select(logit => Math.Exp(logit) / total).ToList();
        })];
    }
}
