using System.Runtime.CompilerServices;
using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.PreTokenizers;

/// <summary>Cuts words by <see cref="WordRules"/>, as a backtracking regex engine would, in linear time.</summary>
internal sealed class WordSplitter(WordRules rules) : PatternSplitter
{
    private const CharClass WordCharacter = CharClass.Letter | CharClass.Number;

    private readonly CharClass _noPrefix = rules.Prefix == WordPrefix.NoWordCharacter
        ? WordCharacter
        : CharClass.Letter | CharClass.Punctuation | CharClass.Symbol;
    private readonly CharClass _word = rules.Body == WordBody.Letters ? CharClass.Letter : CharClass.Letter | CharClass.Mark;
    private readonly CharClass _noPunctuation = rules.Punctuation == PunctuationBody.NoWordCharacter
        ? CharClass.White | WordCharacter
        : CharClass.White | WordCharacter | CharClass.Mark;

    protected override int Match(ReadOnlySpan<byte> text)
    {
        var first = CodePoints.Decode(text, 0, out var length);
        var kind = CodePoints.Classify(first);
        if (first == '\'' && rules.Contractions is Contractions.LowerCase or Contractions.AnyCase
            && Contraction(text, rules.Contractions == Contractions.AnyCase) is var contraction and > 0)
        {
            return contraction;
        }
        if (rules.SeparatesHan && HanRun(text) is var han and > 0)
            return han;
        if (rules.PunctuationBeforeAsciiWord && first < 128 && char.IsAscii((char)first)
            && (kind & (CharClass.Punctuation | CharClass.Symbol)) != 0 && AsciiLetters(text[1..]) is var ascii and > 0)
        {
            return 1 + ascii;
        }
        if (Word(text, first, length, kind) is var word and > 0)
            return word;
        if ((kind & CharClass.Number) != 0 && rules.MaxDigits > 0)
            return Run(text, 0, CharClass.Number, rules.MaxDigits);
        if (rules.MaxDigits == 0 && BlankOr(text, first, kind, CharClass.Number) is var number and >= 0)
            return Run(text, number, CharClass.Number, int.MaxValue);
        if (Punctuation(text, first) is var punctuation and > 0)
            return punctuation;
        return (kind & CharClass.White) != 0 ? Blanks(text) : 0;
    }

    private int Word(ReadOnlySpan<byte> text, int first, int length, CharClass kind)
    {
        if (rules.Body == WordBody.ByCase)
            return WordByCase(text, first, length, kind);
        if ((kind & _word) != 0)
            return Run(text, length, _word, int.MaxValue);
        if (!IsPrefix(first, kind) || length == text.Length)
            return 0;
        var next = CodePoints.Classify(CodePoints.Decode(text, length, out var nextLength));
        return (next & _word) != 0 ? Run(text, length + nextLength, _word, int.MaxValue) : 0;
    }

    private bool IsPrefix(int codePoint, CharClass kind) => rules.Prefix == WordPrefix.Blank
        ? codePoint == ' '
        : (kind & _noPrefix) == 0 && codePoint is not ('\r' or '\n');

    private int WordByCase(ReadOnlySpan<byte> text, int first, int length, CharClass kind)
    {
        var prefix = IsPrefix(first, kind) ? length : 0;
        var end = 0;
        if (prefix > 0)
            end = LowerEnd(text, prefix);
        if (end == 0)
            end = LowerEnd(text, 0);
        if (end == 0 && prefix > 0)
            end = UpperEnd(text, prefix);
        if (end == 0)
            end = UpperEnd(text, 0);
        if (end > 0 && end < text.Length && rules.Contractions == Contractions.Suffix)
            end += Contraction(text[end..], anyCase: true);
        return end;
    }

    // [Lu Lt Lm Lo M]* [Ll Lm Lo M]+ from a position; 0 where it doesn't match. The first part takes all it can and gives
    // back down to the last character that the second part may take too.
    private int LowerEnd(ReadOnlySpan<byte> text, int at)
    {
        var end = 0;
        while (at < text.Length)
        {
            var kind = Cased(text, at, out var length);
            if ((kind & CharClass.Lower) != 0)
                return LowerRun(text, at + length);
            if (kind == CharClass.None)
                break;
            at += length;
            if ((kind & CharClass.Upper) == 0)
                end = at;
        }
        return end;
    }

    private int LowerRun(ReadOnlySpan<byte> text, int at)
    {
        while (at < text.Length && Cased(text, at, out var length) is var kind && kind != CharClass.None && (kind & CharClass.Upper) == 0)
            at += length;
        return at;
    }

    private int UpperEnd(ReadOnlySpan<byte> text, int from)
    {
        var at = from;
        while (at < text.Length && Cased(text, at, out var length) is var kind && kind != CharClass.None && (kind & CharClass.Lower) == 0)
            at += length;
        return at == from ? 0 : LowerRun(text, at);
    }

    // The class of a character that words by case consist of, None for others.
    private CharClass Cased(ReadOnlySpan<byte> text, int at, out int length)
    {
        var codePoint = CodePoints.Decode(text, at, out length);
        var kind = CodePoints.Classify(codePoint) & (CharClass.Letter | CharClass.Mark | CharClass.Upper | CharClass.Lower);
        return kind != CharClass.None && rules.SeparatesHan && Scripts.IsHan(codePoint) ? CharClass.None : kind;
    }

    private static int HanRun(ReadOnlySpan<byte> text)
    {
        var at = 0;
        while (at < text.Length && Scripts.IsHan(CodePoints.Decode(text, at, out var length)))
            at += length;
        return at;
    }

    private int Punctuation(ReadOnlySpan<byte> text, int first)
    {
        var start = first == ' ' ? 1 : 0;
        var at = start;
        while (at < text.Length && IsPunctuation(CodePoints.Classify(CodePoints.Decode(text, at, out var length))))
            at += length;
        if (at == start)
            return 0;
        while (at < text.Length && rules.LineEndsAfterPunctuation.Contains((char)text[at]))
            at++;
        return at;
    }

    private bool IsPunctuation(CharClass kind) => rules.Punctuation == PunctuationBody.PunctuationAndSymbols
        ? (kind & (CharClass.Punctuation | CharClass.Symbol)) != 0
        : (kind & _noPunctuation) == 0;

    // \s*[\r\n]+ | \s+(?!\S) | \s+: to behind the last line's end; else all but the last blank before a word.
    private int Blanks(ReadOnlySpan<byte> text)
    {
        var (at, last, lineEnd) = (0, 0, 0);
        while (at < text.Length)
        {
            var codePoint = CodePoints.Decode(text, at, out var length);
            if ((CodePoints.Classify(codePoint) & CharClass.White) == 0)
                break;
            last = at;
            at += length;
            if (codePoint is '\r' or '\n')
                lineEnd = at;
        }
        if (rules.CutsAfterLineEnds && lineEnd > 0)
            return lineEnd;
        return at == text.Length || last == 0 ? at : last;
    }

    // Where the digits start: 0, or 1 behind a blank; -1 where there are none.
    private static int BlankOr(ReadOnlySpan<byte> text, int first, CharClass kind, CharClass wanted)
    {
        if ((kind & wanted) != 0)
            return 0;
        return first == ' ' && text.Length > 1 && (CodePoints.Classify(CodePoints.Decode(text, 1, out _)) & wanted) != 0 ? 1 : -1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Run(ReadOnlySpan<byte> text, int at, CharClass wanted, int most)
    {
        for (; at < text.Length && most > 0; most--)
        {
            if ((CodePoints.Classify(CodePoints.Decode(text, at, out var length)) & wanted) == 0)
                break;
            at += length;
        }
        return at;
    }

    private static int AsciiLetters(ReadOnlySpan<byte> text)
    {
        var at = 0;
        while (at < text.Length && char.IsAsciiLetter((char)text[at]))
            at++;
        return at;
    }

    private static int Contraction(ReadOnlySpan<byte> text, bool anyCase)
    {
        if (text.Length < 2 || text[0] != '\'')
            return 0;
        if (anyCase && text.Length > 2 && text[1] == 0xC5 && text[2] == 0xBF)
            return 3;
        var first = anyCase ? text[1] | 0x20 : text[1];
        if (first is 's' or 't' or 'm' or 'd')
            return 2;
        if (text.Length < 3)
            return 0;
        var second = anyCase ? text[2] | 0x20 : text[2];
        return (first, second) is ('r', 'e') or ('v', 'e') or ('l', 'l') ? 3 : 0;
    }
}
