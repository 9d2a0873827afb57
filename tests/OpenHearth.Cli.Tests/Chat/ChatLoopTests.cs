namespace OpenHearth.Cli.Tests.Chat;

public sealed class ChatLoopTests : IDisposable
{
    private readonly string _home = Directory.CreateTempSubdirectory("hearth-chat-").FullName;

    public void Dispose() => Directory.Delete(_home, recursive: true);

    [Fact]
    public void Run_Message_IsAnsweredUntilSomebodyLeaves()
    {
        var terminal = Chat("Say hello.\n/bye\n");
        Assert.Contains("/help lists the commands", terminal.Output);
        Assert.Contains("[cut at 4 tokens: /set max_tokens]", terminal.Output);
    }

    [Fact]
    public void Run_ControlD_Leaves() => Chat(terminal => terminal.Press(ConsoleKey.D, control: true));

    [Fact]
    public void Run_ControlCTwice_Leaves()
    {
        var terminal = Chat(terminal => terminal.Press(ConsoleKey.C, control: true, times: 2));
        Assert.Contains("Ctrl-C again, Ctrl-D or /bye leaves.", terminal.Output);
    }

    [Fact]
    public void Run_ControlCOnText_OnlyDropsIt() =>
        Chat(terminal => terminal.Type("abc").Press(ConsoleKey.C, control: true).Press(ConsoleKey.C, control: true).Type("/bye\n"));

    [Fact]
    public void Run_Quotes_JoinLines()
    {
        var terminal = Chat("\"\"\"Say\nhello.\n\"\"\"\n/show messages\n/bye\n");
        Assert.Contains("user: Say\nhello.", terminal.Output);
    }

    [Fact]
    public void Run_System_IsSetShownAndTakenAway()
    {
        var terminal = Chat("/system Be brief.\n/show system\n/system none\n/bye\n");
        Assert.Contains("System message: Be brief.", terminal.Output);
        Assert.Contains("There is no system message.", terminal.Output);
    }

    [Fact]
    public void Run_Set_ChangesAndRefuses()
    {
        var terminal = Chat("/set temperature 0.5\n/set top-k x\n/set top_p 7\n/set temprature 1\n/set verbose\n/set\n/bye\n");
        Assert.Contains("temperature = 0.5", terminal.Output);
        Assert.Contains("top_k takes a whole number.", terminal.Output);
        Assert.Contains("TopP is 7; it must be", terminal.Output);
        Assert.Contains("Did you mean temperature?", terminal.Output);
        Assert.Contains("verbose = on", terminal.Output);
    }

    [Fact]
    public void Run_Verbose_ShowsTokensPerSecond() =>
        Assert.Matches(@"answer 4 tokens at [\d.]+/s", Chat("/set verbose on\nSay hello.\n/bye\n").Output);

    [Fact]
    public void Run_SaveAndLoad_BringTheConversationBack()
    {
        Assert.Contains("Saved as", Chat("/system Be brief.\nSay hello.\n/save greeting\n/bye\n").Output);
        var terminal = Chat("/load\n/load greeting\n/show messages\n/clear\n/show messages\n/load greting\n/save ../up\n/bye\n");
        Assert.Contains("Kept: greeting", terminal.Output);
        Assert.Contains("3 messages of greeting.", terminal.Output);
        Assert.Contains("user: Say hello.", terminal.Output);
        Assert.Contains("Did you mean greeting?", terminal.Output);
        Assert.Contains("A name has letters", terminal.Output);
    }

    [Fact]
    public void Run_DamagedSavedChat_SaysSo()
    {
        Directory.CreateDirectory(Path.Combine(_home, "sessions"));
        File.WriteAllText(Path.Combine(_home, "sessions", "bad.json"), "{\"messages\":[{\"role\":");
        File.WriteAllText(Path.Combine(_home, "sessions", "empty.json"), "{}");
        var terminal = Chat("/load bad\n/load empty\n/bye\n");
        Assert.Contains("is damaged", terminal.Output);
        Assert.Contains("holds no conversation", terminal.Output);
    }

    [Fact]
    public void Run_UnknownCommand_SuggestsTheNearest() => Assert.Contains("Did you mean /help?", Chat("/hlep\n/help\n/bye\n").Output);

    [Fact]
    public void Run_FullContext_DropsTheOldestTurnsAndSaysSo()
    {
        var question = string.Concat(Enumerable.Repeat("Say hello to my cat. ", 8));
        var terminal = Chat($"{question}\n{question}\n{question}\n/bye\n", "--ctx", "160");
        Assert.Contains("[The context is full: the model no longer sees the oldest", terminal.Output);
    }

    [Fact]
    public void Run_MessageLongerThanTheContext_IsRefusedAndTheChatGoesOn()
    {
        var terminal = Chat($"{string.Concat(Enumerable.Repeat("hello ", 100))}\n/show messages\n/bye\n", "--ctx", "64");
        Assert.DoesNotContain("user: hello", terminal.Output);
    }

    private FakeTerminal Chat(string typed, params string[] options) => Chat(terminal => terminal.Type(typed), options);

    private FakeTerminal Chat(Action<FakeTerminal> type, params string[] options)
    {
        var terminal = new FakeTerminal { IsTerminal = true, Variables = { ["HEARTH_HOME"] = _home, ["NO_COLOR"] = "1" } };
        type(terminal);
        Assert.Equal(0, terminal.Run(["run", "smollm2", "--temperature", "0", "--max-tokens", "4", .. options]));
        return terminal;
    }
}
