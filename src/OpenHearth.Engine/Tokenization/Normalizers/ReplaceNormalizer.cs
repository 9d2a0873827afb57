using OpenHearth.Engine.Tokenization.PreTokenizers;
using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.Normalizers;

/// <summary>Replaces a text, or what a pattern matches, by another text.</summary>
internal sealed class ReplaceNormalizer(byte[] pattern, UnicodeRegex? regex, byte[] content) : TextNormalizer
{
    public override bool Changes(ReadOnlySpan<byte> text) => regex is not null || text.IndexOf(pattern) >= 0;

    public override void Apply(TextBuffer from, TextBuffer into, bool isFirst)
    {
        var at = 0;
        foreach (var (start, end) in regex?.Matches(from.Span) ?? Find(from.Span))
        {
            into.Append(from, at, start);
            // The text put in is placed at the last character that it replaces.
            CodePoints.DecodeBefore(from.Span, end, out var last);
            into.Append(content, from, last, end);
            at = end;
        }
        into.Append(from, at, from.Length);
    }

    private List<(int Start, int End)> Find(ReadOnlySpan<byte> text)
    {
        var found = new List<(int Start, int End)>();
        for (var at = 0; text[at..].IndexOf(pattern) is var next and >= 0;)
        {
            found.Add((at + next, at + next + pattern.Length));
            at += next + pattern.Length;
        }
        return found;
    }
}
