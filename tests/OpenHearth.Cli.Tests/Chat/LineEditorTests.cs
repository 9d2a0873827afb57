using OpenHearth.Cli.Chat;

namespace OpenHearth.Cli.Tests.Chat;

public sealed class LineEditorTests
{
    [Fact]
    public void Read_TypedLine_IsReturned() => Assert.Equal((LineOutcome.Line, "hello"), Read(terminal => terminal.Type("hello\n")));

    [Fact]
    public void Read_EditingKeys_ChangeTheLine()
    {
        Assert.Equal("hallo!", Text(t => t.Type("hello").Press(ConsoleKey.LeftArrow, times: 3).Press(ConsoleKey.Backspace).Type("a").Press(ConsoleKey.End).Type("!\n")));
        Assert.Equal("bc", Text(t => t.Type("abc").Press(ConsoleKey.Home).Press(ConsoleKey.Delete).Type("\n")));
        Assert.Equal("one ", Text(t => t.Type("one two").Press(ConsoleKey.W, control: true).Type("\n")));
        Assert.Equal("two", Text(t => t.Type("one two").Press(ConsoleKey.LeftArrow, control: true).Press(ConsoleKey.U, control: true).Type("\n")));
        Assert.Equal("one ", Text(t => t.Type("one two").Press(ConsoleKey.B, alt: true).Press(ConsoleKey.K, control: true).Type("\n")));
        Assert.Equal("xab", Text(t => t.Type("ab").Press(ConsoleKey.A, control: true).Type("x\n")));
    }

    [Fact]
    public void Read_Backspace_RemovesWholeCharacters() =>
        Assert.Equal("a", Text(t => t.Type("a👩‍🚀e\u0301").Press(ConsoleKey.Backspace, times: 2).Type("\n")));

    [Fact]
    public void Read_ArrowUp_BringsBackHistoryAndDownTheDraft()
    {
        var history = new History();
        history.Add("first");
        history.Add("second");
        Assert.Equal("first", Text(t => t.Press(ConsoleKey.UpArrow, times: 2).Type("\n"), history));
        history.Add("first");
        Assert.Equal("draft", Text(t => t.Type("draft").Press(ConsoleKey.UpArrow, times: 2).Press(ConsoleKey.DownArrow, times: 2).Type("\n"), history));
    }

    [Fact]
    public void Read_Paste_KeepsItsLineEnds() =>
        Assert.Equal("a\nb\nc", Text(t => t.Type("\e[200~a\nb\n\e[201~c\n")));

    [Fact]
    public void Read_AltEnter_StartsALine_AndArrowsMoveBetweenLines() =>
        Assert.Equal("aX\nb", Text(t => t.Type("a").Press(ConsoleKey.Enter, alt: true).Type("b").Press(ConsoleKey.UpArrow).Type("X\n")));

    [Fact]
    public void Read_UnknownSequences_AreNoText() => Assert.Equal("ab", Text(t => t.Type("a\e[5;3~b\n")));

    [Fact]
    public void Read_ControlC_Interrupts() => Assert.Equal(LineOutcome.Interrupted, Read(t => t.Type("abc").Press(ConsoleKey.C, control: true)).Outcome);

    [Fact]
    public void Read_ControlD_EndsOnlyAnEmptyLine()
    {
        Assert.Equal(LineOutcome.EndOfInput, Read(t => t.Press(ConsoleKey.D, control: true)).Outcome);
        Assert.Equal("bc", Text(t => t.Type("abc").Press(ConsoleKey.Home).Press(ConsoleKey.D, control: true).Type("\n")));
    }

    [Fact]
    public void Read_Tab_CompletesAsFarAsItIsClear()
    {
        Assert.Equal("/system ", Text(t => t.Type("/sy").Press(ConsoleKey.Tab).Type("\n")));
        Assert.Equal("/s", Text(t => t.Type("/s").Press(ConsoleKey.Tab).Type("\n")));
        Assert.Equal("hi", Text(t => t.Type("hi").Press(ConsoleKey.Tab).Type("\n")));
    }

    [Fact]
    public void Read_LongLine_IsBrokenByTheEditor()
    {
        var terminal = new FakeTerminal { Width = 20 };
        terminal.Type(new string('x', 30)).Type("\n");
        new LineEditor(terminal.ToTerminal(), new History(), []).Read("> ");
        Assert.Contains("\r\e[J> " + new string('x', 17) + "\r\n  " + new string('x', 13), terminal.Output);
    }

    private static string Text(Action<FakeTerminal> type, History? history = null)
    {
        var (outcome, text) = Read(type, history);
        Assert.Equal(LineOutcome.Line, outcome);
        return text;
    }

    private static (LineOutcome Outcome, string Text) Read(Action<FakeTerminal> type, History? history = null)
    {
        var terminal = new FakeTerminal();
        type(terminal);
        return new LineEditor(terminal.ToTerminal(), history ?? new History(), ["/system ", "/set ", "/show "]).Read("> ");
    }
}
