namespace OpenHearth.Cli.Tests.Commands;

public sealed class DetokenizeCommandTests
{
    [Fact]
    public void Run_Ids_IsExactlyTheText()
    {
        var terminal = new FakeTerminal();
        Assert.Equal(0, terminal.Run("detokenize", "smollm2", "--ids", "19556,28,198"));
        Assert.Equal("Hello,\n", terminal.Output);
    }

    [Theory]
    [InlineData(false, """{"text":"Hello<|im_end|>"}""")]
    [InlineData(true, """{"text":"Hello"}""")]
    public void Run_SkipSpecial_LeavesMarksOut(bool skip, string expected)
    {
        var terminal = new FakeTerminal();
        string[] args = ["detokenize", "smollm2", "--ids", "19556,2", "--json"];
        Assert.Equal(0, terminal.Run(skip ? [.. args, "--skip-special"] : args));
        Assert.Equal(expected + "\n", terminal.Output);
    }

    [Theory]
    [InlineData(2, "detokenize", "smollm2")]
    [InlineData(2, "detokenize", "smollm2", "--ids", "1,x")]
    [InlineData(1, "detokenize", "smollm2", "--ids", "999999")]
    [InlineData(1, "detokenize", "smollm2", "--ids", "-1")]
    [InlineData(3, "detokenize", "smolm2", "--ids", "1")]
    public void Run_WrongInput_SaysSo(int exitCode, params string[] args)
    {
        var terminal = new FakeTerminal();
        Assert.Equal(exitCode, terminal.Run(args));
        Assert.StartsWith("hearth: ", terminal.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", terminal.Error);
        Assert.Equal("", terminal.Output);
    }

    [Fact]
    public void Run_Verbose_AddsTheStackTrace()
    {
        var terminal = new FakeTerminal();
        Assert.Equal(1, terminal.Run("detokenize", "smollm2", "--ids", "999999", "--verbose"));
        Assert.Contains("   at ", terminal.Error);
    }
}
