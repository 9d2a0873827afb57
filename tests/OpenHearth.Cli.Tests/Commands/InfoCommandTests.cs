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
}
