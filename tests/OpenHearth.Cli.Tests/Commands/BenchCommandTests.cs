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
    public void Run_MoreThreadsThanThereAreCores_WarnsOnceAndNamesThoseThatCompute()
    {
        var terminal = new FakeTerminal();
        Assert.Equal(0, terminal.Run("bench", "smollm2", "-p", "8", "-n", "1", "-r", "1", "--threads", "1024", "--json"));
        Assert.Equal(OpenHearth.Engine.Computer.Cores, (int)JsonNode.Parse(terminal.Output)!["threads"]!);
        Assert.Matches(@"^hearth: warning: --threads 1024, but this process may use \d+ cores?: \d+ computes?\.\r?\n$", terminal.Error);
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

    [Fact]
    public void Run_DepthAndBatch_AddKeys()
    {
        var terminal = new FakeTerminal();
        Assert.Equal(0, terminal.Run("bench", "smollm2", "-p", "4", "-n", "4", "-r", "1", "--depth", "70", "--batch", "2", "--batch", "3", "--json"));
        var document = JsonNode.Parse(terminal.Output)!.AsObject();
        Assert.Equal(["model", "threads", "cpu", "load_ms", "rss_mb", "file_mb", "prefill", "decode", "decode_deep", "batches"], document.Select(pair => pair.Key));
        Assert.Equal(70, (int)document["decode_deep"]!["depth"]!);
        Assert.True((double)document["decode_deep"]!["ratio"]!["median"]! > 0);
        Assert.Equal([2, 3], document["batches"]!.AsArray().Select(batch => (int)batch!["rows"]!));
        Assert.All(document["batches"]!.AsArray(), batch => Assert.True((double)batch!["one_tps"]!["median"]! > 0));
    }

    [Fact]
    public void Run_Profile_NamesWhatAStepDoes()
    {
        var terminal = new FakeTerminal();
        Assert.Equal(0, terminal.Run("bench", "smollm2", "-p", "20", "-n", "4", "-r", "2", "--profile", "--json"));
        var profile = JsonNode.Parse(terminal.Output)!["profile"]!;
        Assert.True((double)profile["limits"]!["read_gb_per_s"]! > 0);
        foreach (var (step, steps, tokens) in new[] { ("decode", 4, 1), ("prefill", 2, 20) })
        {
            Assert.Equal(steps, (int)profile[step]!["steps"]!);
            Assert.Equal(tokens, (int)profile[step]!["tokens"]!);
            var ops = profile[step]!["ops"]!.AsArray();
            var queries = Assert.Single(ops, op => (string)op!["op"]! == "linear attn_q+attn_k+attn_v Q4_1")!;
            Assert.Equal(30, (int)queries["calls"]!);
            Assert.Equal(30 * 960 * 576 * 20 / 32 / 1e6, (double)queries["mb"]!, 3);
            Assert.Contains(ops, op => (string)op!["op"]! == "attention");
            Assert.All(ops, op => Assert.Equal((double)op!["ms"]! / (double)profile[step]!["ms"]!, (double)op["share"]!, 0.001));
        }
    }

    [Theory]
    [InlineData("--batch", "0")]
    [InlineData("--batch", "many")]
    [InlineData("--depth", "0")]
    public void Run_WrongCount_IsAWrongCommandLine(string option, string value)
    {
        var terminal = new FakeTerminal();
        Assert.Equal(2, terminal.Run("bench", "smollm2", option, value));
        Assert.Contains(value, terminal.Error);
    }
}
