using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.Normalizers;

/// <summary>Puts a text in front, or takes blanks off the ends.</summary>
internal sealed class EdgeNormalizer : TextNormalizer
{
    /// <summary>Put in front of text that is not empty.</summary>
    public byte[] Prefix { get; init; } = [];

    /// <summary>Take blanks off the start.</summary>
    public bool StripsLeft { get; init; }

    /// <summary>Take blanks off the end.</summary>
    public bool StripsRight { get; init; }

    /// <summary>Only U+0020 is taken off, no other blank.</summary>
    public bool OnlySpaces { get; init; }

    public override void Apply(TextBuffer from, TextBuffer into, bool isFirst)
    {
        var text = from.Span;
        var (start, end) = (0, text.Length);
        while (StripsLeft && start < end && IsBlank(CodePoints.Decode(text, start, out var length)))
            start += length;
        while (StripsRight && end > start && IsBlank(CodePoints.DecodeBefore(text, end, out var before)))
            end = before;
        if (Prefix.Length > 0 && end > start)
            into.Append(Prefix, from, start, start + 1);
        into.Append(from, start, end);
    }

    private bool IsBlank(int codePoint) => codePoint == ' ' || !OnlySpaces && (CodePoints.Classify(codePoint) & CharClass.White) != 0;
}
