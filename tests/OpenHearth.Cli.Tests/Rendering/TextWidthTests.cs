using OpenHearth.Cli.Rendering;

namespace OpenHearth.Cli.Tests.Rendering;

public sealed class TextWidthTests
{
    [Theory]
    [InlineData("", 0)]
    [InlineData("abc", 3)]
    [InlineData("é", 1)]
    [InlineData("e\u0301", 1)]
    [InlineData("天地", 4)]
    [InlineData("한", 2)]
    [InlineData("😀", 2)]
    [InlineData("\u200B", 0)]
    [InlineData("\a", 0)]
    [InlineData("…→─", 3)]
    public void Of_Text_IsItsColumns(string text, int expected) => Assert.Equal(expected, TextWidth.Of(text));
}
