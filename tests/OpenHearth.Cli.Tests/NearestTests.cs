namespace OpenHearth.Cli.Tests;

public sealed class NearestTests
{
    [Theory]
    [InlineData("", "", 0)]
    [InlineData("run", "run", 0)]
    [InlineData("rnu", "run", 1)]
    [InlineData("tokenise", "tokenize", 1)]
    [InlineData("abc", "", 3)]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("RUN", "run", 0)]
    public void Distance_CountsTypingErrors(string a, string b, int expected)
    {
        Assert.Equal(expected, Nearest.Distance(a, b));
        Assert.Equal(expected, Nearest.Distance(b, a));
    }

    [Theory]
    [InlineData("smolm2", "smollm2")]
    [InlineData("perp", "perplexity")]
    [InlineData("xyzzy", null)]
    [InlineData("", null)]
    public void To_FindsWhatWasMeant(string typed, string? expected) =>
        Assert.Equal(expected, Nearest.To(typed, ["smollm2", "perplexity", "run"]));

    [Fact]
    public void To_VeryLongText_IsNothing() => Assert.Null(Nearest.To(new string('a', 100_000), ["run"]));
}
