using System.Text.Json.Nodes;

namespace OpenHearth.Cli.Tests.Commands;

public sealed class InfoCommandTests
{
    [Fact]
    public void Run_Json_HasPathsAndCpu()
    {
        var terminal = new FakeTerminal { Variables = { ["HEARTH_HOME"] = "/data/hearth", ["HEARTH_OFFLINE"] = "1" } };
        Assert.Equal(0, terminal.Run("info", "--json"));
        var info = JsonNode.Parse(terminal.Output)!;
        Assert.NotEmpty((string)info["cpu"]!);
        Assert.True((long)info["memory_bytes"]! > 0);
        Assert.True((bool)info["offline"]!);
        Assert.Equal(Path.GetFullPath("/data/hearth"), (string)info["paths"]!["home"]!);
        Assert.Contains("smollm2:135m-instruct-q4_1", info["paths"]!["models"]!.AsArray().Select(name => (string)name!));
    }

    [Fact]
    public void Run_OnAPipe_HasNoEscapeCodes()
    {
        var terminal = new FakeTerminal();
        Assert.Equal(0, terminal.Run("info", "--offline"));
        Assert.DoesNotContain('\e', terminal.Output);
        Assert.Contains("network", terminal.Output);
        Assert.Contains(Engine.Computer.NoGeneratedCode is null ? "generated code kernels for this processor" : "generated code none: ", terminal.Output);
    }

    [Fact]
    public void Run_Measure_GivesTheLimitsOfTheMachine()
    {
        var terminal = new FakeTerminal();
        Assert.Equal(0, terminal.Run("info", "--measure", "--threads", "1", "--json"));
        var measured = JsonNode.Parse(terminal.Output)!["measured"]!;
        Assert.Equal(1, (int)measured["threads"]!);
        Assert.True((double)measured["read_gb_per_s"]! > 0);
        Assert.True((double)measured["f32_gflop_per_s"]! > 0);
    }

    [Fact]
    public void Run_Kernels_NamesOneForEveryFormatAndNumberOfTokens()
    {
        var terminal = new FakeTerminal();
        Assert.Equal(0, terminal.Run("info", "--kernels", "--json"));
        var kernels = JsonNode.Parse(terminal.Output)!["kernels"]!.AsArray();
        foreach (var format in kernels.GroupBy(kernel => (string)kernel!["format"]!))
        {
            var next = 1;
            foreach (var choice in format)
            {
                Assert.Equal(next, (int)choice!["from_tokens"]!);
                Assert.NotEmpty((string)choice["why"]!);
                next = (int?)choice["to_tokens"] + 1 ?? int.MaxValue;
            }
            Assert.Equal(int.MaxValue, next);
        }
        Assert.Contains(kernels, kernel => (string)kernel!["format"]! == "Q4_0");
    }

    [Fact]
    public void Run_KernelsWithAName_ListsItsCode()
    {
        var all = new FakeTerminal();
        Assert.Equal(0, all.Run("info", "--kernels", "--json"));
        var generated = JsonNode.Parse(all.Output)!["kernels"]!.AsArray().Select(kernel => (string?)kernel!["generated"]).OfType<string>().Distinct().ToList();
        Assert.SkipWhen(generated.Count == 0, "Nothing is generated on this processor.");
        foreach (var name in generated)
        {
            var terminal = new FakeTerminal();
            Assert.Equal(0, terminal.Run("info", "--kernels", name));
            Assert.Contains(name, terminal.Output);
            Assert.Contains("zmm", terminal.Output);
            Assert.EndsWith("ret\n", terminal.Output);
        }
    }

    [Fact]
    public void Run_KernelsWithAWrongName_SaysWhatToType()
    {
        var terminal = new FakeTerminal();
        Assert.Equal(1, terminal.Run("info", "--kernels", "gemv Q9"));
        Assert.Contains("hearth info --kernels", terminal.Error);
    }
}
