using System.Text.Json.Nodes;

namespace OpenHearth.Cli.Tests.Commands;

public sealed class RunCommandTests
{
    private static readonly string[] Greedy = ["--temperature", "0", "--max-tokens", "4"];

    [Fact]
    public void Run_Json_IsOneDocument()
    {
        var terminal = new FakeTerminal();
        Assert.Equal(0, terminal.Run(["run", "smollm2", "Say", "hello.", "--json", "--seed", "7", .. Greedy]));
        var document = JsonNode.Parse(terminal.Output)!.AsObject();
        Assert.Equal(["model", "text", "finish_reason", "prompt_tokens", "completion_tokens", "timings", "seed"], document.Select(pair => pair.Key));
        Assert.Equal(["load_ms", "prompt_ms", "prompt_tps", "decode_ms", "decode_tps"], document["timings"]!.AsObject().Select(pair => pair.Key));
        Assert.Equal("length", (string)document["finish_reason"]!);
        Assert.Equal(4, (int)document["completion_tokens"]!);
        Assert.Equal(7, (int)document["seed"]!);
        Assert.Equal("", terminal.Error);
    }

    [Fact]
    public void Run_WordsAndInput_AreJoined()
    {
        var joined = Document(new FakeTerminal { Input = "The sky is blue.\n" }, "run", "smollm2", "Repeat:");
        var whole = Document(new FakeTerminal(), "run", "smollm2", "Repeat:\n\nThe sky is blue.");
        Assert.Equal((int)whole["prompt_tokens"]!, (int)joined["prompt_tokens"]!);
        Assert.Equal((string)whole["text"]!, (string)joined["text"]!);
    }

    [Fact]
    public void Run_InputAlone_IsThePrompt()
    {
        var piped = Document(new FakeTerminal { Input = "Say hello." }, "run", "smollm2");
        var given = Document(new FakeTerminal(), "run", "smollm2", "Say hello.");
        Assert.Equal((string)given["text"]!, (string)piped["text"]!);
    }

    [Fact]
    public void Run_Raw_LeavesTheTemplateOut()
    {
        var raw = Document(new FakeTerminal(), "run", "smollm2", "--raw", "Hello");
        Assert.Equal(1, (int)raw["prompt_tokens"]!);
    }

    [Fact]
    public void Run_Greedy_IsTheSameForAnyThreads()
    {
        var one = Document(new FakeTerminal(), "run", "smollm2", "Count to three.", "--threads", "1");
        var three = Document(new FakeTerminal(), "run", "smollm2", "Count to three.", "--threads", "3");
        Assert.Equal((string)one["text"]!, (string)three["text"]!);
    }

    [Fact]
    public void Run_Stop_EndsTheAnswer()
    {
        var whole = (string)Document(new FakeTerminal(), "run", "smollm2", "Say hello.")["text"]!;
        var stop = whole[^1..];
        var cut = Document(new FakeTerminal(), "run", "smollm2", "Say hello.", "--stop", stop, "never there");
        Assert.Equal(whole[..whole.IndexOf(stop, StringComparison.Ordinal)], (string)cut["text"]!);
        Assert.Equal("stop", (string)cut["finish_reason"]!);
    }

    [Fact]
    public void Run_OnAPipe_IsPlainTextAndALineEnd()
    {
        var terminal = new FakeTerminal();
        Assert.Equal(0, terminal.Run(["run", "smollm2", "Say hello.", .. Greedy]));
        Assert.DoesNotContain('\e', terminal.Output);
        Assert.EndsWith("\n", terminal.Output, StringComparison.Ordinal);
        Assert.Equal((string)Document(new FakeTerminal(), "run", "smollm2", "Say hello.")["text"]!, terminal.Output.TrimEnd('\n'));
    }

    [Theory]
    [InlineData(2, "run", "smollm2")]
    [InlineData(2, "run", "smollm2", "x", "--temperature", "-1")]
    [InlineData(2, "run", "smollm2", "x", "--top-p", "2")]
    [InlineData(2, "run", "smollm2", "x", "--top-k", "few")]
    [InlineData(2, "run", "smollm2", "x", "--raw", "--system", "y")]
    [InlineData(3, "run", "smolm2", "x")]
    [InlineData(3, "run", "./absent.gguf", "x")]
    [InlineData(1, "run", "smollm2", "x", "--ctx", "2000000000")]
    public void Run_WrongInput_SaysSoInOneLine(int exitCode, params string[] args)
    {
        var terminal = new FakeTerminal();
        Assert.Equal(exitCode, terminal.Run(args));
        Assert.StartsWith("hearth: ", terminal.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", terminal.Error);
        Assert.Equal("", terminal.Output);
    }

    [Fact]
    public void Run_ContextBeyondTheModel_WarnsOnceAndAnswers()
    {
        var terminal = new FakeTerminal();
        Assert.NotEmpty((string)Document(terminal, "run", "smollm2", "Say hello.", "--ctx", "8193")["text"]!);
        Assert.Matches(@"^hearth: warning: .* was made for 8192 tokens; answers may get worse beyond\.\r?\n$", terminal.Error);
    }

    [Fact]
    public void Run_PromptBeyondTheContext_SaysThatCtxAsksForMore()
    {
        var terminal = new FakeTerminal();
        Assert.Equal(1, terminal.Run("run", "smollm2", string.Concat(Enumerable.Repeat("hello ", 9000)), "--max-tokens", "1"));
        Assert.Matches("The prompt has 9[0-9]+ tokens and the context holds 8192, .*--ctx", terminal.Error);
    }

    [Fact]
    public void Run_FileThatIsNoModel_SaysWhat()
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, "This is no model at all, only a text.");
        var terminal = new FakeTerminal();
        Assert.Equal(1, terminal.Run("run", file, "x"));
        Assert.Contains(file, terminal.Error);
        File.Delete(file);
    }

    private static JsonObject Document(FakeTerminal terminal, params string[] args)
    {
        Assert.Equal(0, terminal.Run([.. args, "--json", .. Greedy]));
        return JsonNode.Parse(terminal.Output)!.AsObject();
    }
}
