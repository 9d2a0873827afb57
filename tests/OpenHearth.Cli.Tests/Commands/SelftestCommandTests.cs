using System.Text.Json.Nodes;

namespace OpenHearth.Cli.Tests.Commands;

public sealed class SelftestCommandTests
{
    [Fact]
    public void Run_Json_ListsEveryLevelAndKernel()
    {
        var terminal = new FakeTerminal();
        Assert.Equal(0, terminal.Run("selftest", "--json"));
        var document = JsonNode.Parse(terminal.Output)!;
        Assert.Equal(0, (int)document["failed"]!);
        var kernels = document["kernels"]!.AsArray();
        Assert.Equal((int)document["passed"]!, kernels.Count);
        Assert.Contains(kernels, kernel => (string)kernel!["level"]! == "scalar" && (string)kernel["kernel"]! == "Q4_1 product, 1 tokens");
        Assert.Contains(kernels, kernel => (string)kernel!["kernel"]! == "RMS norm");
    }
}
