using System.Text.Json.Nodes;

namespace OpenHearth.Cli.Tests.Commands;

public sealed class ShowCommandTests
{
    [Fact]
    public void Run_Json_DescribesTheModel()
    {
        var terminal = new FakeTerminal();
        Assert.Equal(0, terminal.Run("show", "smollm2", "--json"));
        var card = JsonNode.Parse(terminal.Output)!;
        Assert.Equal("llama", (string)card["architecture"]!);
        Assert.True((bool)card["supported"]!);
        Assert.Equal(134515008, (long)card["parameters"]!);
        Assert.Equal(8192, (int)card["context_length"]!);
        Assert.Equal("apache-2.0", (string)card["license"]!);
        Assert.Equal("Q4_1", (string)card["tensors"]![0]!["type"]!);
        Assert.Contains("<|im_start|>", (string)card["chat_template"]!);
        Assert.Equal("gpt2", (string)card["metadata"]!["tokenizer.ggml.model"]!);
    }

    [Fact]
    public void Run_Memory_CountsTheCacheOfTheContext()
    {
        JsonNode Memory(params string[] args)
        {
            var terminal = new FakeTerminal();
            Assert.Equal(0, terminal.Run(["show", "smollm2", "--memory", "--json", .. args]));
            return JsonNode.Parse(terminal.Output)!;
        }
        // 30 layers, 3 heads of 64, keys and values
        var whole = Memory();
        Assert.Equal(8192L * 30 * 3 * 64 * 2 * 2, (long)whole["cache_bytes"]!);
        Assert.Equal(8192, (int)whole["context"]!);
        var names = new[] { "weight", "cache", "state", "activation", "workspace", "program" };
        Assert.Equal(names.Sum(name => (long)whole[$"{name}_bytes"]!), (long)whole["total_bytes"]!);
        Assert.Equal(2048L * 30 * 3 * 64 * (34 + 18) / 32, (long)Memory("--ctx", "2048", "--cache-type-k", "q8_0", "--cache-type-v", "q4_0")["cache_bytes"]!);
    }

    [Fact]
    public void Run_MemoryBeyondTheModel_WarnsOnce()
    {
        var terminal = new FakeTerminal();
        Assert.Equal(0, terminal.Run("show", "smollm2", "--memory", "--ctx", "16384", "--json"));
        Assert.Equal(16384L * 30 * 3 * 64 * 2 * 2, (long)JsonNode.Parse(terminal.Output)!["cache_bytes"]!);
        Assert.Matches(@"^hearth: warning: .* was made for 8192 tokens; answers may get worse beyond\.\r?\n$", terminal.Error);
    }

    [Theory]
    [InlineData(2, "--memory", "--ctx", "100")]
    [InlineData(2, "q8_0", "--memory", "--cache-type-v", "q9")]
    [InlineData(2, "--ctx", "--memory", "--ctx", "0")]
    public void Run_MemoryOfTheImpossible_SaysWhy(int code, string why, params string[] args)
    {
        var terminal = new FakeTerminal();
        Assert.Equal(code, terminal.Run(["show", "smollm2", .. args]));
        Assert.Contains(why, terminal.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Run_Plain_IsReadable(bool onTerminal)
    {
        var terminal = new FakeTerminal { IsTerminal = onTerminal, Variables = { ["NO_COLOR"] = "1" } };
        Assert.Equal(0, terminal.Run("show", "smollm2"));
        Assert.Contains("134.5 million", terminal.Output);
        Assert.Contains("8192 tokens", terminal.Output);
        Assert.DoesNotContain('\e', terminal.Output);
        Assert.All(terminal.Output.Split('\n'), line => Assert.Equal(line.TrimEnd(), line));
    }
}
