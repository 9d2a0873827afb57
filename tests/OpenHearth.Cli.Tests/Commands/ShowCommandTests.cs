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
