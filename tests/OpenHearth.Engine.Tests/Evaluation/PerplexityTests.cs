using System.Text.Json;
using OpenHearth.Engine.Evaluation;

namespace OpenHearth.Engine.Tests.Evaluation;

public sealed class PerplexityTests
{
    [Theory]
    [InlineData(true, 1e-4)]
    [InlineData(false, 2e-3)]
    public void Measure_OfWikiText2_IsTheReference(bool exact, double tolerance)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(Fixtures.Path("fixtures", "evaluation", "wikitext2_llamacpp.json")));
        var tokens = json.RootElement.GetProperty("tokens").EnumerateArray().Select(token => token.GetInt32()).ToArray();
        var expected = json.RootElement.GetProperty("no_bos").GetProperty("per_chunk").EnumerateArray().Select(chunk => chunk.GetProperty("running_ppl").GetDouble()).ToArray();
        using var model = Model.Load(SmolLm2Tests.ModelPath, new ModelOptions { Exact = exact });
        var i = 0;
        foreach (var running in Perplexity.Measure(model, tokens, 512, 2, cancellation: TestContext.Current.CancellationToken))
            Assert.InRange(running.Value / expected[i++], 1 - tolerance, 1 + tolerance);
        Assert.Equal(2, i);
    }

    [Fact]
    public void Measure_WithFirstTokenReplaced_IsTheReference()
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(Fixtures.Path("fixtures", "evaluation", "wikitext2_llamacpp.json")));
        var tokens = json.RootElement.GetProperty("tokens").EnumerateArray().Select(token => token.GetInt32()).ToArray();
        var expected = json.RootElement.GetProperty("first_token_replaced_by_bos").GetProperty("per_chunk")[0].GetProperty("running_ppl").GetDouble();
        using var model = Model.Load(SmolLm2Tests.ModelPath, new ModelOptions { Exact = true });
        var result = Perplexity.Measure(model, tokens, 512, 1, firstToken: 1, TestContext.Current.CancellationToken).Last();
        Assert.InRange(result.Value / expected, 1 - 1e-4, 1 + 1e-4);
        Assert.Equal(255, result.Scored);
        Assert.InRange(result.StandardError, 0.1, 10);
    }

    [Fact]
    public void Measure_WhereNumbersBreakDown_IsNoResult()
    {
        using var file = new TinyLlama();
        using (var stream = File.OpenWrite(file.Path)) // the last weight of the last matrix
        {
            stream.Seek(-sizeof(float), SeekOrigin.End);
            stream.Write(BitConverter.GetBytes(float.NaN));
        }
        using var model = Model.Load(file.Path, new ModelOptions { Exact = true });
        Assert.Throws<NotFiniteNumberException>(() => Perplexity.Measure(model, Enumerable.Range(0, 32).ToArray(), 16, cancellation: TestContext.Current.CancellationToken).Last());
    }
}
