using System.Text.Json;
using OpenHearth.Engine.Evaluation;
using OpenHearth.Engine.KvCache;

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

    // Perplexity itself is too noisy for so short a text. Four bits by token, of rotated keys, have a divergence of 0.034.
    [Theory]
    [InlineData(CacheType.Q8_0, 1.5e-3)]
    [InlineData(CacheType.Q4_0, 2e-2)]
    public void Measure_OfRoundedKeys_IsCloseToHalfPrecision(CacheType keys, double most)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(Fixtures.Path("fixtures", "evaluation", "wikitext2_llamacpp.json")));
        var tokens = json.RootElement.GetProperty("tokens").EnumerateArray().Select(token => token.GetInt32()).ToArray();
        using var model = Model.Load(SmolLm2Tests.ModelPath, new ModelOptions { CachedKeys = keys });
        using var reference = Model.Load(SmolLm2Tests.ModelPath);
        var agreement = Agreement.Measure(model, reference, tokens, 512, 2, cancellation: TestContext.Current.CancellationToken).Last();
        Assert.InRange(agreement.MeanDivergence, most / 100, most);
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
