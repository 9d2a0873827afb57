using System.Globalization;
using System.Runtime.CompilerServices;

namespace OpenHearth.Engine.Tokenization.Text;

/// <summary>Code points of UTF-8 that is known to be valid (it was transcoded from UTF-16), and their Unicode classes.</summary>
internal static class CodePoints
{
    /// <summary>U+2581, which SentencePiece writes for a blank.</summary>
    public static ReadOnlySpan<byte> Blank => "▁"u8;

    private static readonly CharClass[] Ascii = ClassifyAscii();

    /// <summary>The class of a code point.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static CharClass Classify(int codePoint) => codePoint < 128 ? Ascii[codePoint] : OfCategory(codePoint);

    /// <summary>The code point that starts at <paramref name="at"/> and its length in bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Decode(ReadOnlySpan<byte> text, int at, out int length)
    {
        int first = text[at];
        if (first < 0x80)
        {
            length = 1;
            return first;
        }
        return DecodeLong(text, at, first, out length);
    }

    /// <summary>The code point that ends before <paramref name="end"/> and where it starts.</summary>
    public static int DecodeBefore(ReadOnlySpan<byte> text, int end, out int start)
    {
        start = end - 1;
        while (start > 0 && IsContinuation(text[start]))
            start--;
        return Decode(text, start, out _);
    }

    /// <summary>Bytes of the character that a byte starts.</summary>
    public static int LengthFrom(byte first) => first switch { < 0xC0 => 1, < 0xE0 => 2, < 0xF0 => 3, _ => 4 };

    /// <summary>True for the second and later bytes of a character.</summary>
    public static bool IsContinuation(byte value) => (value & 0xC0) == 0x80;

    /// <summary>Writes a code point as UTF-8 and returns its length.</summary>
    public static int Encode(int codePoint, Span<byte> into)
    {
        if (codePoint < 0x80)
        {
            into[0] = (byte)codePoint;
            return 1;
        }
        if (codePoint < 0x800)
        {
            into[0] = (byte)(0xC0 | codePoint >> 6);
            into[1] = (byte)(0x80 | codePoint & 0x3F);
            return 2;
        }
        if (codePoint < 0x10000)
        {
            into[0] = (byte)(0xE0 | codePoint >> 12);
            into[1] = (byte)(0x80 | codePoint >> 6 & 0x3F);
            into[2] = (byte)(0x80 | codePoint & 0x3F);
            return 3;
        }
        into[0] = (byte)(0xF0 | codePoint >> 18);
        into[1] = (byte)(0x80 | codePoint >> 12 & 0x3F);
        into[2] = (byte)(0x80 | codePoint >> 6 & 0x3F);
        into[3] = (byte)(0x80 | codePoint & 0x3F);
        return 4;
    }

    private static int DecodeLong(ReadOnlySpan<byte> text, int at, int first, out int length)
    {
        length = LengthFrom((byte)first);
        return length switch
        {
            2 => (first & 0x1F) << 6 | text[at + 1] & 0x3F,
            3 => (first & 0x0F) << 12 | (text[at + 1] & 0x3F) << 6 | text[at + 2] & 0x3F,
            _ => (first & 0x07) << 18 | (text[at + 1] & 0x3F) << 12 | (text[at + 2] & 0x3F) << 6 | text[at + 3] & 0x3F,
        };
    }

    private static CharClass[] ClassifyAscii()
    {
        var classes = new CharClass[128];
        for (var c = 0; c < classes.Length; c++)
            classes[c] = OfCategory(c);
        return classes;
    }

    private static CharClass OfCategory(int codePoint) => CharUnicodeInfo.GetUnicodeCategory(codePoint) switch
    {
        UnicodeCategory.UppercaseLetter or UnicodeCategory.TitlecaseLetter => CharClass.Letter | CharClass.Upper,
        UnicodeCategory.LowercaseLetter => CharClass.Letter | CharClass.Lower,
        UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => CharClass.Letter,
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => CharClass.Number,
        UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark => CharClass.Mark,
        UnicodeCategory.ConnectorPunctuation or UnicodeCategory.DashPunctuation or UnicodeCategory.OpenPunctuation
            or UnicodeCategory.ClosePunctuation or UnicodeCategory.InitialQuotePunctuation
            or UnicodeCategory.FinalQuotePunctuation or UnicodeCategory.OtherPunctuation => CharClass.Punctuation,
        UnicodeCategory.MathSymbol or UnicodeCategory.CurrencySymbol or UnicodeCategory.ModifierSymbol
            or UnicodeCategory.OtherSymbol => CharClass.Symbol,
        UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator => CharClass.White,
        UnicodeCategory.Control => codePoint is >= 9 and <= 13 or 0x85 ? CharClass.White : CharClass.None,
        _ => CharClass.None,
    };
}
