using System.Globalization;
using System.Text;
using OpenHearth.Engine.Templates.Running;

namespace OpenHearth.Engine.Templates.Text;

/// <summary>Full case mapping as Unicode defines it (SpecialCasing without the language rules), where one character may become three.</summary>
internal static class Casing
{
    // Each entry is a character and what it becomes.
    private const string LongUppers =
        "\u00df\u0053\u0053 \u0149\u02bc\u004e \u01f0\u004a\u030c \u0390\u0399\u0308\u0301 \u03b0\u03a5\u0308\u0301 "
        + "\u0587\u0535\u0552 \u1e96\u0048\u0331 \u1e97\u0054\u0308 \u1e98\u0057\u030a \u1e99\u0059\u030a "
        + "\u1e9a\u0041\u02be \u1f50\u03a5\u0313 \u1f52\u03a5\u0313\u0300 \u1f54\u03a5\u0313\u0301 "
        + "\u1f56\u03a5\u0313\u0342 \u1f80\u1f08\u0399 \u1f81\u1f09\u0399 \u1f82\u1f0a\u0399 \u1f83\u1f0b\u0399 "
        + "\u1f84\u1f0c\u0399 \u1f85\u1f0d\u0399 \u1f86\u1f0e\u0399 \u1f87\u1f0f\u0399 \u1f88\u1f08\u0399 "
        + "\u1f89\u1f09\u0399 \u1f8a\u1f0a\u0399 \u1f8b\u1f0b\u0399 \u1f8c\u1f0c\u0399 \u1f8d\u1f0d\u0399 "
        + "\u1f8e\u1f0e\u0399 \u1f8f\u1f0f\u0399 \u1f90\u1f28\u0399 \u1f91\u1f29\u0399 \u1f92\u1f2a\u0399 "
        + "\u1f93\u1f2b\u0399 \u1f94\u1f2c\u0399 \u1f95\u1f2d\u0399 \u1f96\u1f2e\u0399 \u1f97\u1f2f\u0399 "
        + "\u1f98\u1f28\u0399 \u1f99\u1f29\u0399 \u1f9a\u1f2a\u0399 \u1f9b\u1f2b\u0399 \u1f9c\u1f2c\u0399 "
        + "\u1f9d\u1f2d\u0399 \u1f9e\u1f2e\u0399 \u1f9f\u1f2f\u0399 \u1fa0\u1f68\u0399 \u1fa1\u1f69\u0399 "
        + "\u1fa2\u1f6a\u0399 \u1fa3\u1f6b\u0399 \u1fa4\u1f6c\u0399 \u1fa5\u1f6d\u0399 \u1fa6\u1f6e\u0399 "
        + "\u1fa7\u1f6f\u0399 \u1fa8\u1f68\u0399 \u1fa9\u1f69\u0399 \u1faa\u1f6a\u0399 \u1fab\u1f6b\u0399 "
        + "\u1fac\u1f6c\u0399 \u1fad\u1f6d\u0399 \u1fae\u1f6e\u0399 \u1faf\u1f6f\u0399 \u1fb2\u1fba\u0399 "
        + "\u1fb3\u0391\u0399 \u1fb4\u0386\u0399 \u1fb6\u0391\u0342 \u1fb7\u0391\u0342\u0399 \u1fbc\u0391\u0399 "
        + "\u1fc2\u1fca\u0399 \u1fc3\u0397\u0399 \u1fc4\u0389\u0399 \u1fc6\u0397\u0342 \u1fc7\u0397\u0342\u0399 "
        + "\u1fcc\u0397\u0399 \u1fd2\u0399\u0308\u0300 \u1fd3\u0399\u0308\u0301 \u1fd6\u0399\u0342 "
        + "\u1fd7\u0399\u0308\u0342 \u1fe2\u03a5\u0308\u0300 \u1fe3\u03a5\u0308\u0301 \u1fe4\u03a1\u0313 "
        + "\u1fe6\u03a5\u0342 \u1fe7\u03a5\u0308\u0342 \u1ff2\u1ffa\u0399 \u1ff3\u03a9\u0399 \u1ff4\u038f\u0399 "
        + "\u1ff6\u03a9\u0342 \u1ff7\u03a9\u0342\u0399 \u1ffc\u03a9\u0399 \ufb00\u0046\u0046 \ufb01\u0046\u0049 "
        + "\ufb02\u0046\u004c \ufb03\u0046\u0046\u0049 \ufb04\u0046\u0046\u004c \ufb05\u0053\u0054 \ufb06\u0053\u0054 "
        + "\ufb13\u0544\u0546 \ufb14\u0544\u0535 \ufb15\u0544\u053b \ufb16\u054e\u0546 \ufb17\u0544\u053d ";

    private const string LongTitles =
        "\u00df\u0053\u0073 \u0587\u0535\u0582 \u1fb2\u1fba\u0345 \u1fb4\u0386\u0345 \u1fb7\u0391\u0342\u0345 "
        + "\u1fc2\u1fca\u0345 \u1fc4\u0389\u0345 \u1fc7\u0397\u0342\u0345 \u1ff2\u1ffa\u0345 \u1ff4\u038f\u0345 "
        + "\u1ff7\u03a9\u0342\u0345 \ufb00\u0046\u0066 \ufb01\u0046\u0069 \ufb02\u0046\u006c \ufb03\u0046\u0066\u0069 "
        + "\ufb04\u0046\u0066\u006c \ufb05\u0053\u0074 \ufb06\u0053\u0074 \ufb13\u0544\u0576 \ufb14\u0544\u0565 "
        + "\ufb15\u0544\u056b \ufb16\u054e\u0576 \ufb17\u0544\u056d ";

    // First and last of the characters that are letters of a case by property (Other_Uppercase, Other_Lowercase) and not by category.
    private static readonly int[] OtherUppers = [0x2160, 0x216F, 0x24B6, 0x24CF, 0x1F130, 0x1F149, 0x1F150, 0x1F169, 0x1F170, 0x1F189];

    private static readonly int[] OtherLowers =
    [
        0xAA, 0xAA, 0xBA, 0xBA, 0x2B0, 0x2B8, 0x2C0, 0x2C1, 0x2E0, 0x2E4, 0x345, 0x345, 0x37A, 0x37A, 0x1D2C, 0x1D6A, 0x1D78, 0x1D78,
        0x1D9B, 0x1DBF, 0x2071, 0x2071, 0x207F, 0x207F, 0x2090, 0x209C, 0x2170, 0x217F, 0x24D0, 0x24E9, 0x2C7C, 0x2C7D, 0xA69C, 0xA69D,
        0xA770, 0xA770, 0xA7F8, 0xA7F9, 0xAB5C, 0xAB5F, 0x10780, 0x10780, 0x10783, 0x10785, 0x10787, 0x107B0, 0x107B2, 0x107BA,
    ];

    private static readonly Lazy<Dictionary<char, string>> Uppers = new(() => Table(LongUppers));
    private static readonly Lazy<Dictionary<char, string>> Titles = new(() => Table(LongTitles));

    public static string Upper(Rendering rendering, string text)
    {
        rendering.Budget.Scan(text.Length);
        return Ascii.IsValid(text) ? text.ToUpperInvariant() : Map(rendering, text, static (sink, source, at) => AppendUpper(sink, source, at));
    }

    public static string Lower(Rendering rendering, string text)
    {
        rendering.Budget.Scan(text.Length);
        return Ascii.IsValid(text) ? text.ToLowerInvariant() : Map(rendering, text, AppendLower);
    }

    /// <summary>The first character as a title, the others small.</summary>
    public static string Capitalize(Rendering rendering, string text) => Map(rendering, text, static (sink, source, at) =>
    {
        if (at == 0)
            AppendTitle(sink, source, at);
        else
            AppendLower(sink, source, at);
    });

    /// <summary>Each letter that follows no letter as a title, the others small.</summary>
    public static string Title(Rendering rendering, string text)
    {
        var inWord = false;
        return Map(rendering, text, (sink, source, at) =>
        {
            if (inWord)
                AppendLower(sink, source, at);
            else
                AppendTitle(sink, source, at);
            inWord = IsCased(CodePoints.RuneAt(source, at));
        });
    }

    public static string Swap(Rendering rendering, string text) => Map(rendering, text, static (sink, source, at) =>
    {
        var rune = CodePoints.RuneAt(source, at);
        if (IsUpper(rune))
            AppendLower(sink, source, at);
        else if (IsLower(rune))
            AppendUpper(sink, source, at);
        else
            sink.Append(source.AsSpan(at, CodePoints.WidthAt(source, at)));
    });

    public static bool IsUpper(Rune rune) => Rune.GetUnicodeCategory(rune) == UnicodeCategory.UppercaseLetter || Has(OtherUppers, rune.Value);

    public static bool IsLower(Rune rune) => Rune.GetUnicodeCategory(rune) == UnicodeCategory.LowercaseLetter || Has(OtherLowers, rune.Value);

    public static bool IsTitle(Rune rune) => Rune.GetUnicodeCategory(rune) == UnicodeCategory.TitlecaseLetter;

    public static bool IsCased(Rune rune) => IsUpper(rune) || IsLower(rune) || IsTitle(rune);

    private static string Map(Rendering rendering, string text, Action<TextSink, string, int> append)
    {
        rendering.Budget.Walk(text.Length);
        var sink = new TextSink(rendering.Budget);
        for (var at = 0; at < text.Length; at += CodePoints.WidthAt(text, at))
            append(sink, text, at);
        return sink.Take();
    }

    private static void AppendUpper(TextSink sink, string text, int at)
    {
        if (text[at] > '\x7f' && Uppers.Value.TryGetValue(text[at], out var upper))
            sink.Append(upper);
        else if (text[at] is '\u0131' or '\u017f')
            sink.Append(text[at] == '\u0131' ? 'I' : 'S');
        else
            AppendRune(sink, text, at, Rune.ToUpperInvariant);
    }

    private static void AppendTitle(TextSink sink, string text, int at)
    {
        var unit = text[at];
        if (unit > '\x7f' && Titles.Value.TryGetValue(unit, out var title))
            sink.Append(title);
        else if (unit is >= '\u01c4' and <= '\u01cc')
            sink.Append((char)(((unit - 0x1C4) / 3 * 3) + 0x1C5));
        else if (unit is >= '\u01f1' and <= '\u01f3')
            sink.Append('\u01f2');
        else if (unit is >= '\u10d0' and <= '\u10ff')
            sink.Append(unit);
        else if (unit is (>= '\u1f80' and <= '\u1faf') or '\u1fb3' or '\u1fbc' or '\u1fc3' or '\u1fcc' or '\u1ff3' or '\u1ffc')
            AppendRune(sink, text, at, Rune.ToUpperInvariant);
        else if (unit > '\x7f' && Uppers.Value.TryGetValue(unit, out var upper))
            sink.Append(upper);
        else
            AppendUpper(sink, text, at);
    }

    private static void AppendLower(TextSink sink, string text, int at)
    {
        switch (text[at])
        {
            case '\u0130':
                sink.Append("i\u0307");
                break;
            case '\u03a3':
                sink.Append(EndsWord(text, at) ? '\u03c2' : '\u03c3');
                break;
            default:
                AppendRune(sink, text, at, Rune.ToLowerInvariant);
                break;
        }
    }

    private static void AppendRune(TextSink sink, string text, int at, Func<Rune, Rune> map)
    {
        var width = CodePoints.WidthAt(text, at);
        if (width == 1 && char.IsSurrogate(text[at]))
        {
            sink.Append(text[at]);
            return;
        }
        Span<char> units = stackalloc char[2];
        sink.Append(units[..map(CodePoints.RuneAt(text, at)).EncodeToUtf16(units)]);
    }

    /// <summary>True for a sigma after a letter and before none, which is written in its final form.</summary>
    private static bool EndsWord(string text, int at)
    {
        var before = at - 1;
        while (before >= 0 && IsIgnorable(text[before]))
            before--;
        var after = at + 1;
        while (after < text.Length && IsIgnorable(text[after]))
            after++;
        return before >= 0 && char.IsLetter(text[before]) && !(after < text.Length && char.IsLetter(text[after]));
    }

    private static bool IsIgnorable(char unit) => unit is '\'' or '.' or ':' or '\u00b7' or '\u2019' || char.GetUnicodeCategory(unit)
        is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format or UnicodeCategory.ModifierLetter or UnicodeCategory.ModifierSymbol;

    private static bool Has(int[] ranges, int codePoint)
    {
        if (codePoint < 0x80)
            return false;
        for (var i = 0; i < ranges.Length; i += 2)
        {
            if (codePoint >= ranges[i] && codePoint <= ranges[i + 1])
                return true;
        }
        return false;
    }

    private static Dictionary<char, string> Table(string entries)
    {
        var table = new Dictionary<char, string>();
        foreach (var entry in entries.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            table[entry[0]] = entry[1..];
        return table;
    }
}
