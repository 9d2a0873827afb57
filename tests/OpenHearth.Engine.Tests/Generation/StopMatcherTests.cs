using OpenHearth.Engine.Generation;

namespace OpenHearth.Engine.Tests.Generation;

public sealed class StopMatcherTests
{
    [Theory]
    [InlineData("one END two", "END", "one ", "END")]
    [InlineData("one EN", "END", "one EN", null)]
    [InlineData("aaab", "aab", "a", "aab")]
    [InlineData("abcd", "abcd|c", "ab", "c")]
    [InlineData("xabc", "bc|abc|c", "x", "abc")]
    [InlineData("END", "END", "", "END")]
    [InlineData("nothing", "", "nothing", null)]
    public void Append_HoweverTheTextIsCut_FindsTheSameStop(string text, string stops, string shown, string? found)
    {
        var list = stops.Length == 0 ? [] : stops.Split('|');
        for (var size = 1; size <= text.Length; size++)
            Assert.Equal((shown, found), Run(text.Chunk(size).Select(chunk => new string(chunk)), list));
    }

    [Fact]
    public void Append_OfRandomTexts_EqualsTheDefinition()
    {
        var random = new Random(5);
        string Text(int length) => new([.. Enumerable.Range(0, length).Select(_ => "ab"[random.Next(2)])]);
        var stopped = 0;
        for (var round = 0; round < 3000; round++)
        {
            var text = Text(random.Next(30));
            var stops = Enumerable.Range(0, random.Next(1, 4)).Select(_ => Text(random.Next(1, 7))).ToArray();
            var pieces = new List<string>();
            for (var at = 0; at < text.Length;)
            {
                var length = Math.Min(random.Next(6), text.Length - at);
                pieces.Add(text.Substring(at, length));
                at += length;
            }
            var expected = Definition(text, stops);
            stopped += expected.Found is null ? 0 : 1;
            Assert.Equal(expected, Run(pieces, stops));
        }
        Assert.InRange(stopped, 500, 2900);
    }

    [Fact]
    public void Append_OfWhatMayBeginAStop_HoldsBackNoMoreThanThat()
    {
        var matcher = new StopMatcher(["\nUser:", "###"]);
        Assert.Equal("Hello", matcher.Append("Hello\n"));
        Assert.Equal("", matcher.Append("User"));
        Assert.Equal("\nUsers", matcher.Append("s"));
        Assert.Equal(" of ", matcher.Append(" of ##"));
        Assert.Equal("##, ", matcher.Append(", #"));
        Assert.Null(matcher.Found);
        Assert.Equal("#", matcher.Flush());
    }

    private static (string Shown, string? Found) Run(IEnumerable<string> pieces, string[] stops)
    {
        var matcher = new StopMatcher(stops);
        var shown = string.Concat(pieces.Select(matcher.Append));
        return (shown + matcher.Flush(), matcher.Found);
    }

    private static (string Shown, string? Found) Definition(string text, string[] stops)
    {
        for (var end = 1; end <= text.Length; end++)
        {
            var longest = stops.Where(stop => text[..end].EndsWith(stop, StringComparison.Ordinal)).MaxBy(stop => stop.Length);
            if (longest is not null)
                return (text[..(end - longest.Length)], longest);
        }
        return (text, null);
    }
}
