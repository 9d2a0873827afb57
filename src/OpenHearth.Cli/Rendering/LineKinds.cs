namespace OpenHearth.Cli.Rendering;

/// <summary>What a line of Markdown is.</summary>
internal enum LineKind
{
    /// <summary>Not clear yet.</summary>
    Unknown,
    Text,
    Heading,
    Bullet,
    Number,
    Quote,

    /// <summary>Opens or closes a code block.</summary>
    Fence,
    Code,
    Table,

    /// <summary>A line across.</summary>
    Rule,
}

/// <summary>Tells the kind of a line from as few of its first characters as possible.</summary>
internal static class LineKinds
{
    private const int DeepestHeading = 6;
    private const int LongestNumber = 9;
    private const int LongestMark = 64; // a line of one repeated character is no rule beyond this

    /// <summary>The kind of a line that may go on, and the length of the mark that it begins with.</summary>
    public static (LineKind Kind, int Length) Of(string line, string? fence)
    {
        var indent = line.Length - line.TrimStart(' ').Length;
        var rest = line.AsSpan(indent);
        if (rest.IsEmpty)
            return (indent < LongestMark ? LineKind.Unknown : fence is null ? LineKind.Text : LineKind.Code, 0);
        var same = rest.Length - rest.TrimStart(rest[0]).Length;
        var alone = same == rest.Length && same < LongestMark;
        if (fence is not null)
            return rest[0] == fence[0] && (alone || (same >= fence.Length && rest[same..].IsWhiteSpace())) ? (LineKind.Unknown, 0) : (LineKind.Code, 0);
        switch (rest[0])
        {
            case '#' when alone && same <= DeepestHeading:
            case '-' or '*' or '_' or '+' when alone:
            case '`' or '~' when alone && same < 3:
                return (LineKind.Unknown, 0);
            case '#' when same <= DeepestHeading && rest[same] == ' ':
                return (LineKind.Heading, indent + same + 1);
            case '-' or '*' or '+' when same == 1 && rest[1] == ' ':
                return (LineKind.Bullet, indent + 2);
            case '`' or '~' when same >= 3:
                return (LineKind.Fence, 0);
            case '>':
                return rest.Length == 1 ? (LineKind.Unknown, 0) : (LineKind.Quote, indent + (rest[1] == ' ' ? 2 : 1));
            case '|':
                return (LineKind.Table, 0);
            case >= '0' and <= '9':
                return Numbered(rest, indent);
            default:
                return (LineKind.Text, 0);
        }
    }

    /// <summary>The kind of a line that has ended before it was clear.</summary>
    public static LineKind OfWhole(string line, string? fence)
    {
        var text = line.AsSpan().Trim();
        var same = text.IsEmpty ? 0 : text.Length - text.TrimStart(text[0]).Length;
        if (fence is not null)
            return same >= fence.Length && text[0] == fence[0] && same == text.Length ? LineKind.Fence : LineKind.Code;
        return same >= 3 && same == text.Length && text[0] is '-' or '*' or '_' ? LineKind.Rule : LineKind.Text;
    }

    private static (LineKind Kind, int Length) Numbered(ReadOnlySpan<char> rest, int indent)
    {
        var digits = rest.IndexOfAnyExceptInRange('0', '9');
        if (digits < 0)
            return (rest.Length <= LongestNumber ? LineKind.Unknown : LineKind.Text, 0);
        if (digits > LongestNumber || rest[digits] is not ('.' or ')'))
            return (LineKind.Text, 0);
        if (rest.Length == digits + 1)
            return (LineKind.Unknown, 0);
        return rest[digits + 1] == ' ' ? (LineKind.Number, indent + digits + 2) : (LineKind.Text, 0);
    }
}
