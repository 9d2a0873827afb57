using OpenHearth.Cli.Chat;

namespace OpenHearth.Cli.Tests.Chat;

public sealed class HistoryTests
{
    [Fact]
    public void OlderAndNewer_WalkThroughWhatWasTyped()
    {
        var history = new History();
        history.Add("one");
        history.Add("two");
        history.Add("two");
        Assert.Equal("two", history.Older("draft"));
        Assert.Equal("one", history.Older("two"));
        Assert.Null(history.Older("one"));
        Assert.Equal("two", history.Newer());
        Assert.Equal("draft", history.Newer());
        Assert.Null(history.Newer());
    }

    [Fact]
    public void Older_NothingTyped_IsNull() => Assert.Null(new History().Older("x"));
}
