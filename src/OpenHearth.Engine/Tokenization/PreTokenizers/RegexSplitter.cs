using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.PreTokenizers;

/// <summary>Cuts by a pattern that no other splitter knows.</summary>
internal sealed class RegexSplitter(UnicodeRegex regex, SplitBehavior behavior, bool inverts) : Splitter
{
    public override void Split(ReadOnlySpan<byte> text, int start, int end, CutList cuts)
    {
        var parts = new List<(int End, bool IsMatch)>();
        var at = start;
        foreach (var match in regex.Matches(text[start..end]))
        {
            if (start + match.Start > at)
                parts.Add((start + match.Start, inverts));
            parts.Add((at = start + match.End, !inverts));
        }
        if (end > at)
            parts.Add((end, inverts));
        PatternSplitter.Arrange(parts, behavior, cuts);
    }
}
