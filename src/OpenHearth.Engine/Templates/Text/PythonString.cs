using System.Globalization;
using System.Text;
using OpenHearth.Engine.Templates.Running;

namespace OpenHearth.Engine.Templates.Text;

/// <summary>Python's <c>repr</c> of a text: single quotes unless only those occur in it, escapes for what can't be printed.</summary>
internal static class PythonString
{
    public static void WriteRepr(string text, TextSink sink)
    {
        sink.Budget.Scan(text.Length);
        var quote = text.Contains('\'') && !text.Contains('"') ? '"' : '\'';
        sink.Append(quote);
        for (var i = 0; i < text.Length;)
        {
            var width = CodePoints.WidthAt(text, i);
            var unit = text[i];
            if (unit == quote || unit == '\\')
            {
                sink.Append('\\');
                sink.Append(unit);
            }
            else if (width == 2 ? IsPrintable(CodePoints.RuneAt(text, i)) : unit is >= ' ' and < '\x7f' || (unit > '\x7f' && IsPrintable(unit)))
            {
                sink.Append(text.AsSpan(i, width));
            }
            else
            {
                sink.Append(Escape(width == 2 ? CodePoints.RuneAt(text, i).Value : unit));
            }
            i += width;
        }
        sink.Append(quote);
    }

    public static bool IsPrintable(Rune rune) => IsPrintable(Rune.GetUnicodeCategory(rune), rune.Value);

    private static bool IsPrintable(char unit) => IsPrintable(CharUnicodeInfo.GetUnicodeCategory(unit), unit);

    private static bool IsPrintable(UnicodeCategory category, int codePoint) => codePoint == ' ' || category is not
        (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
        or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        or UnicodeCategory.SpaceSeparator);

    private static string Escape(int codePoint) => codePoint switch
    {
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        < 0x100 => $"\\x{codePoint:x2}",
        < 0x10000 => $"\\u{codePoint:x4}",
        _ => $"\\U{codePoint:x8}",
    };
}
