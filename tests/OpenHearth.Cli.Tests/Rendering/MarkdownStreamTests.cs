using OpenHearth.Cli.Rendering;

namespace OpenHearth.Cli.Tests.Rendering;

public sealed class MarkdownStreamTests
{
    [Theory]
    [InlineData("Plain text.", "Plain text.\n")]
    [InlineData("a **bold** word", "a \e[1mbold\e[22m word\n")]
    [InlineData("an *italic* and _another_", "an \e[3mitalic\e[23m and \e[3manother\e[23m\n")]
    [InlineData("***both***", "\e[1m\e[3mboth\e[22m\e[23m\n")]
    [InlineData("~~gone~~ ~here", "\e[9mgone\e[29m ~here\n")]
    [InlineData("`a*b*` and ``c`d``", "\e[36ma*b*\e[39m and \e[36mc`d\e[39m\n")]
    [InlineData("2 * 3 * 4 and snake_case_name", "2 * 3 * 4 and snake_case_name\n")]
    [InlineData(@"\*not italic\* C:\temp", @"*not italic* C:\temp" + "\n")]
    [InlineData("**never closed\nnext", "\e[1mnever closed\e[22m\nnext\n")]
    [InlineData("# Title\ntext", "\e[1;4mTitle\e[22;24m\ntext\n")]
    [InlineData("### Third\n", "\e[1mThird\e[22;24m\n")]
    [InlineData("#hashtag", "#hashtag\n")]
    [InlineData("- one\n* two\n  + three", "• one\n• two\n  • three\n")]
    [InlineData("1. one\n10) ten\n2024 was", "1. one\n10) ten\n2024 was\n")]
    [InlineData("> said\n>again", "│ said\n│ again\n")]
    [InlineData("---\n***\n--\n", "\e[2m───────────────────────────────────────\e[22m\n\e[2m───────────────────────────────────────\e[22m\n--\n")]
    [InlineData("a\n\nb", "a\n\nb\n")]
    [InlineData("", "")]
    [InlineData("x\n", "x\n")]
    public void Write_Markdown_IsStyled(string markdown, string expected) => AssertRendered(markdown, expected, width: 40);

    [Fact]
    public void Write_CodeBlock_KeepsItsTextAsItIs() => AssertRendered(
        "```csharp\nvar a = \"**x**\"; // a line that is longer than the screen\n\n\tif (a)\n``\n```\nafter",
        "\e[2m── csharp\e[22m\n\e[36mvar a = \"**x**\"; // a line that is longer than the screen\e[39m\n\n\e[36m    if (a)\e[39m\n\e[36m``\e[39m\n\e[2m──\e[22m\nafter\n");

    [Fact]
    public void Write_FourTicks_CloseOnlyWithFour() =>
        AssertRendered("````\n```\n````\n", "\e[2m──\e[22m\n\e[36m```\e[39m\n\e[2m──\e[22m\n");

    [Theory]
    [InlineData("the quick brown fox jumps", "the quick brown fox\njumps\n")]
    [InlineData("- the quick brown fox jumps", "• the quick brown\n  fox jumps\n")]
    [InlineData("> the quick brown fox jumps", "│ the quick brown\n│ fox jumps\n")]
    [InlineData("averyveryverylongwordthatneverends a", "averyveryverylongwordthatneverends\na\n")]
    [InlineData("天地玄黄宇宙洪荒日月盈昃", "天地玄黄宇宙洪荒日\n月盈昃\n")]
    [InlineData("the quick **brown fox** jumps", "the quick \e[1mbrown fox\e[22m\njumps\n")]
    public void Write_LongLine_BreaksBetweenWords(string markdown, string expected) => AssertRendered(markdown, expected);

    [Fact]
    public void Write_Table_IsLaidOut() => AssertRendered(
        "| a | b |\n|---|:-:|\n| **x** | long |\nend",
        "\e[1ma\e[22m \e[2m│\e[22m \e[1mb\e[22m\n\e[2m──┼─────\e[22m\n\e[1mx\e[22m \e[2m│\e[22m long\nend\n");

    [Fact]
    public void Write_TableWiderThanScreen_StaysAsItIs() =>
        AssertRendered("| a wide heading | another one |\n|---|---|\n", "| a wide heading | another one |\n|---|---|\n");

    [Fact]
    public void Write_ControlCharacters_NeverReachTheTerminal() =>
        AssertRendered("a\e[31mred\a\u009B2J\r\nb", "a[31mred2J\nb\n");

    [Fact]
    public void Write_RandomMarkdown_NeverThrowsAndKeepsEveryLetter()
    {
        var random = new Random(7);
        const string alphabet = "ab *_`~#->|1.\\\n é天😀";
        for (var round = 0; round < 500; round++)
        {
            var text = string.Concat(Enumerable.Range(0, 200).Select(_ => alphabet[random.Next(alphabet.Length)]));
            var letters = Rendered(text).Count(c => c is 'a' or 'b');
            Assert.Equal(text.Count(c => c is 'a' or 'b'), letters);
        }
    }

    /// <summary>In one piece and character by character alike.</summary>
    private static void AssertRendered(string markdown, string expected, int width = 20)
    {
        Assert.Equal(expected, Rendered(markdown, width));
        using var output = Output();
        var stream = new MarkdownStream(output, () => width);
        foreach (var c in markdown)
            stream.Write([c]);
        stream.End();
        Assert.Equal(expected, output.ToString());
    }

    private static string Rendered(string markdown, int width = 20)
    {
        using var output = Output();
        var stream = new MarkdownStream(output, () => width);
        stream.Write(markdown);
        stream.End();
        return output.ToString();
    }

    private static StringWriter Output() => new() { NewLine = "\n" };
}
