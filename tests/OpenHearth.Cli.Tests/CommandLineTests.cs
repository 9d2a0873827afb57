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
    [InlineData("'--temprature'. Did you mean '--temperature'?", "run", "smollm2", "--temprature", "1", "hi")]
    [InlineData("'--temprature'. Did you mean '--temperature'?", "run", "smollm2", "hi", "--temprature=1")]
    [InlineData("'-x'. A text that begins like an option goes behind --.", "run", "smollm2", "-x", "hi")]
    [InlineData("'--cache-type-k'. A text that begins like an option goes behind --.", "embed", "x.gguf", "hi", "--cache-type-k", "f16")]
    [InlineData("'--no-specail'. Did you mean '--no-special'?", "tokenize", "smollm2", "--no-specail", "hi")]
    public void Run_UnknownOptionAmongTexts_IsNoText(string message, params string[] args)
    {
        var terminal = new FakeTerminal();
        Assert.Equal(2, terminal.Run(args));
        Assert.Equal($"hearth: There is no option {message}\nTry: hearth {args[0]} --help\n", terminal.Error);
        Assert.Equal("", terminal.Output);
    }

    [Theory]
    [InlineData("--", "--temprature")]
    [InlineData("- one thing")]
    [InlineData("--- a rule")]
    public void Run_TextThatBeginsWithDashes_IsAText(params string[] text)
    {
        var terminal = new FakeTerminal();
        Assert.Equal(0, terminal.Run(["tokenize", "smollm2", "--json", .. text]));
        Assert.StartsWith("{\"ids\":[", terminal.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--seed takes a whole number, not 'abc'.", "--seed", "abc")]
    [InlineData("--temperature takes a number, not 'warm'.", "--temperature", "warm")]
    [InlineData("--temperature is -1; it must be 0 (greedy) or more.", "--temperature", "-1")]
    [InlineData("--max-tokens is -1; it must be 0 or more tokens.", "--max-tokens", "-1")]
    [InlineData("--typical is 2; it must be above 0 and at most 1 (off).", "--typical", "2")]
    [InlineData("--ctx takes a whole number from 1, not '-5'.", "--ctx", "-5")]
    [InlineData("--ctx takes a whole number from 1, not '99999999999'.", "--ctx", "99999999999")]
    [InlineData("--cache-type-k takes f32, f16, bf16, q8_0, q4_0, not 'q5_0'.", "--cache-type-k", "q5_0")]
    public void Run_WrongValue_NamesTheOptionInOneLine(string message, params string[] option)
    {
        var terminal = new FakeTerminal();
        Assert.Equal(2, terminal.Run(["run", "smollm2", "hi", .. option]));
        Assert.Equal($"hearth: {message}\nTry: hearth run --help\n", terminal.Error);
    }

    [Theory]
    [InlineData("inof", "--help")]
    [InlineData("help", "inof")]
    public void Run_HelpOfNoCommand_SaysSo(params string[] args)
    {
        var terminal = new FakeTerminal();
        Assert.Equal(2, terminal.Run(args));
        Assert.StartsWith("hearth: There is no command 'inof'. Did you mean 'info'?", terminal.Error, StringComparison.Ordinal);
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
