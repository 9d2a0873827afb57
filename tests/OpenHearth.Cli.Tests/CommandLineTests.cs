namespace OpenHearth.Cli.Tests;

public sealed class CommandLineTests
{
    [Fact]
    public void Run_WithoutCommand_ShowsHelpAndReturns2()
    {
        var terminal = new FakeTerminal();
        Assert.Equal(2, terminal.Run());
        Assert.Contains("Commands:", terminal.Error);
        Assert.Equal("", terminal.Output);
    }

    [Fact]
    public void Run_MistypedCommand_SuggestsTheNearest()
    {
        var terminal = new FakeTerminal();
        Assert.Equal(2, terminal.Run("inof"));
        Assert.Equal("hearth: There is no command 'inof'. Did you mean 'info'?\nTry: hearth --help\n", terminal.Error);
        Assert.Equal("", terminal.Output);
    }

    [Fact]
    public void Run_MistypedOption_SuggestsTheNearest()
    {
        var terminal = new FakeTerminal();
        Assert.Equal(2, terminal.Run("info", "--jsno"));
        Assert.Equal("hearth: There is no option '--jsno'. Did you mean '--json'?\nTry: hearth info --help\n", terminal.Error);
    }

    [Theory]
    [InlineData("info", "--threads", "0")]
    [InlineData("info", "--threads", "many")]
    [InlineData("info", "--log-level", "loud")]
    [InlineData("frobnicate")]
    public void Run_WrongCommandLine_Returns2AndPrintsNoResult(params string[] args)
    {
        var terminal = new FakeTerminal();
        Assert.Equal(2, terminal.Run(args));
        Assert.StartsWith("hearth: ", terminal.Error, StringComparison.Ordinal);
        Assert.Equal("", terminal.Output);
    }

    [Fact]
    public void Run_Version_IsOneLine()
    {
        var terminal = new FakeTerminal();
        Assert.Equal(0, terminal.Run("--version"));
        Assert.Matches(@"^hearth \d+\.\d+\.\d+\n$", terminal.Output);
    }

    [Fact]
    public void Run_VersionWithJson_IsADocument()
    {
        var terminal = new FakeTerminal();
        Assert.Equal(0, terminal.Run("--version", "--json"));
        Assert.Matches(@"^\{""version"":""\d+\.\d+\.\d+""\}\n$", terminal.Output);
    }

    [Fact]
    public void Run_HelpOfEachCommand_HasExamples()
    {
        foreach (var entry in Cli.Commands.CommandTable.Entries)
        {
            var terminal = new FakeTerminal();
            Assert.Equal(0, terminal.Run(entry.Name, "--help"));
            Assert.Contains($"Examples:\n  hearth {entry.Name}", terminal.Output);
            Assert.Contains(entry.Summary, terminal.Output);
            var help = new FakeTerminal();
            Assert.Equal(0, help.Run("help", entry.Name));
            Assert.Equal(terminal.Output, help.Output);
        }
    }
}
