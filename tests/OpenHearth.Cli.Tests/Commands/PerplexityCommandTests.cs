using System.Text.Json.Nodes;

namespace OpenHearth.Cli.Tests.Commands;

public sealed class PerplexityCommandTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public PerplexityCommandTests() => File.WriteAllText(_file, string.Concat(Enumerable.Repeat("The cat sat on the mat. ", 12)));

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void Run_Json_HasTheRunningValues()
    {
        var terminal = new FakeTerminal();
        Assert.Equal(0, terminal.Run("perplexity", "smollm2", "--file", _file, "--ctx", "16", "--chunks", "2", "--json"));
        var document = JsonNode.Parse(terminal.Output)!;
        Assert.Equal(14, (int)document["tokens"]!); // the 7 tokens after the middle of each window
        Assert.Equal(2, document["chunks"]!.AsArray().Count);
        Assert.Equal((double)document["perplexity"]!, (double)document["chunks"]![1]!);
        Assert.True((double)document["perplexity"]! > 1);
        Assert.True((double)document["stderr"]! > 0);
    }

    [Fact]
    public void Run_CompareExact_HasBothAndHowOftenTheyAgree()
    {
        var terminal = new FakeTerminal();
        Assert.Equal(0, terminal.Run("perplexity", "smollm2", "--file", _file, "--ctx", "16", "--chunks", "2", "--compare-exact", "--json"));
        var document = JsonNode.Parse(terminal.Output)!;
        var exact = document["compared_with_exact"]!;
        Assert.InRange((double)document["perplexity"]! / (double)exact["perplexity"]!, 0.98, 1.02);
        Assert.InRange((double)exact["top1_agreement"]!, 0.8, 1);
        Assert.InRange((double)exact["mean_kl_divergence"]!, 1e-9, 1e-2);
        Assert.True((double)exact["max_kl_divergence"]! >= (double)exact["mean_kl_divergence"]!);
        Assert.Equal(2, new FakeTerminal().Run("perplexity", "smollm2", "--file", _file, "--exact", "--compare-exact"));
    }

    [Fact]
    public void Run_WithOtherCaches_IsNearlyTheSame()
    {
        double Measure(params string[] args)
        {
            var terminal = new FakeTerminal();
            Assert.Equal(0, terminal.Run(["perplexity", "smollm2", "--file", _file, "--ctx", "64", "--json", .. args]));
            return (double)JsonNode.Parse(terminal.Output)!["perplexity"]!;
        }
        var half = Measure();
        var quantized = Measure("--cache-type-k", "q8_0", "--cache-type-v", "q8_0");
        Assert.NotEqual(half, quantized);
        Assert.InRange(quantized / half, 0.99, 1.01);
    }

    [Fact]
    public void Run_TextShorterThanAWindow_SaysWhatToDo()
    {
        var terminal = new FakeTerminal();
        Assert.Equal(1, terminal.Run("perplexity", "smollm2", "--file", _file));
        Assert.Contains("smaller --ctx", terminal.Error);
    }

    [Theory]
    [InlineData("--ctx", "1")]
    [InlineData("--chunks", "-1")]
    public void Run_WrongNumbers_Return2(params string[] args) =>
        Assert.Equal(2, new FakeTerminal().Run(["perplexity", "smollm2", "--file", _file, .. args]));
}
