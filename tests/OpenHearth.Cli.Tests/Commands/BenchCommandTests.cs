using System.Text.Json.Nodes;

namespace OpenHearth.Cli.Tests.Commands;

public sealed class BenchCommandTests
{
    [Fact]
    public void Run_Json_HasWhatScriptsRead()
    {
        var terminal = new FakeTerminal();
        Assert.Equal(0, terminal.Run("bench", "smollm2", "-p", "8", "-n", "2", "-r", "2", "--threads", "1", "--json"));
        var document = JsonNode.Parse(terminal.Output)!.AsObject();
        Assert.Equal(["model", "threads", "cpu", "load_ms", "rss_mb", "file_mb", "prefill", "decode"], document.Select(pair => pair.Key));
        Assert.Equal(1, (int)document["threads"]!);
        foreach (var (name, tokens) in new[] { ("prefill", 8), ("decode", 2) })
        {
            Assert.Equal(tokens, (int)document[name]!["tokens"]!);
            var rates = document[name]!["tps"]!;
            Assert.InRange((double)rates["median"]!, (double)rates["min"]!, (double)rates["max"]!);
        }
    }

    [Fact]
    public void Run_Plain_IsATable()
    {
        var terminal = new FakeTerminal();
        Assert.Equal(0, terminal.Run("bench", "smollm2", "-p", "4", "-n", "1", "-r", "1"));
        Assert.Contains("prompt", terminal.Output);
        Assert.Contains("decode", terminal.Output);
        Assert.DoesNotContain('\e', terminal.Output);
    }
}
