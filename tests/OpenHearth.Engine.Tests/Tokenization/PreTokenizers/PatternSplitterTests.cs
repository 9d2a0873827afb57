using OpenHearth.Engine.Tokenization.PreTokenizers;
using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tests.Tokenization.PreTokenizers;

public class PatternSplitterTests
{
    // The example in the documentation of Hugging Face's tokenizers.
    [Theory]
    [InlineData("Removed", "the|final|countdown")]
    [InlineData("Isolated", "the|-|final|-|-|countdown")]
    [InlineData("MergedWithPrevious", "the-|final-|-|countdown")]
    [InlineData("MergedWithNext", "the|-final|-|-countdown")]
    [InlineData("Contiguous", "the|-|final|--|countdown")]
    public void Split_Behaviors_CutAsDocumented(string behavior, string pieces)
    {
        var splitter = new TextSplitter("-"u8.ToArray()) { Behavior = Enum.Parse<SplitBehavior>(behavior) };
        Assert.Equal(pieces.Split('|'), Cut(splitter, "the-final--countdown"));
        Assert.Equal(pieces.Split('|'), Cut(new RegexSplitter(new UnicodeRegex("-"), Enum.Parse<SplitBehavior>(behavior), inverts: false), "the-final--countdown"));
    }

    [Fact]
    public void Split_Inverted_LeavesOutWhatDoesNotMatch() =>
        Assert.Equal(["-", "-", "-"], Cut(new TextSplitter("-"u8.ToArray()) { Behavior = SplitBehavior.Removed, Inverts = true }, "the-final--countdown"));

    [Fact]
    public void UnicodeRegex_CharactersBeyondTheFirstPlane_AreOneLetter() =>
        Assert.Equal(["𝒳𝒴", " ", "𝟘", " ", "😀"], Cut(new RegexSplitter(new UnicodeRegex(@"\p{L}+|\p{N}|\s+"), SplitBehavior.Isolated, inverts: false), "𝒳𝒴 𝟘 😀"));

    private static string[] Cut(Splitter splitter, string text)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(text);
        var cuts = new CutList();
        splitter.Split(bytes, 0, bytes.Length, cuts);
        var pieces = new List<string>();
        for (var (i, from) = (0, 0); i < cuts.Count; from = cuts[i++])
        {
            if (!cuts.IsDropped(i))
                pieces.Add(System.Text.Encoding.UTF8.GetString(bytes[from..cuts[i]]));
        }
        return [.. pieces];
    }
}
