using System.Globalization;
using System.Text;
using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.Normalizers;

/// <summary>Drops or replaces single characters.</summary>
/// <param name="replace">What becomes of a code point: itself, another, or -1 for nothing.</param>
internal sealed class CharacterNormalizer(Func<int, int> replace) : TextNormalizer
{
    /// <summary>Drops nonspacing marks (BERT).</summary>
    public static CharacterNormalizer DropNonspacingMarks { get; } =
        new(c => c >= 0x300 && CharUnicodeInfo.GetUnicodeCategory(c) == UnicodeCategory.NonSpacingMark ? -1 : c);

    /// <summary>Drops all marks.</summary>
    public static CharacterNormalizer DropMarks { get; } =
        new(c => c >= 0x300 && (CodePoints.Classify(c) & CharClass.Mark) != 0 ? -1 : c);

    /// <summary>Lower case, one character for one, but for U+0130, which becomes two.</summary>
    public static CharacterNormalizer LowerCase { get; } =
        new(c => c < 128 ? c is >= 'A' and <= 'Z' ? c | 0x20 : c : Rune.ToLowerInvariant(new Rune(c)).Value);

    /// <summary>SentencePiece's first step for machine translation: controls dropped, rare blanks made spaces.</summary>
    public static CharacterNormalizer Nmt { get; } = new(c => c switch
    {
        >= 1 and <= 8 or 0x0B or >= 0x0E and <= 0x1F or 0x7F or 0x8F or 0x9F => -1,
        9 or 10 or 12 or 13 or 0x1680 or >= 0x200B and <= 0x200F or 0x2028 or 0x2029 or 0x2581 or 0xFEFF or 0xFFFD => ' ',
        _ => c,
    });

    public override void Apply(TextBuffer from, TextBuffer into, bool isFirst)
    {
        var text = from.Span;
        for (var at = 0; at < text.Length;)
        {
            var codePoint = CodePoints.Decode(text, at, out var length);
            var replacement = replace(codePoint);
            if (this == LowerCase && codePoint == 0x130)
                into.Append("i\u0307"u8, from, at, at + length);
            else if (replacement == codePoint)
                into.Append(from, at, at + length);
            else if (replacement >= 0)
                into.Append(replacement, from, at, at + length);
            at += length;
        }
    }
}
