using System.Globalization;
using System.Text;

namespace OpenHearth.Engine.Templates.Syntax;

/// <summary>The escapes of Python's string literals; an unknown one stands for itself.</summary>
internal static class StringLiteral
{
    public static string Unescape(ReadOnlySpan<char> text, int line)
    {
        if (!text.Contains('\\'))
            return text.ToString();
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\' || i + 1 == text.Length)
            {
                result.Append(text[i]);
                continue;
            }
            var unit = text[++i];
            switch (unit)
            {
                case '\n': break;
                case 'a': result.Append('\a'); break;
                case 'b': result.Append('\b'); break;
                case 'f': result.Append('\f'); break;
                case 'n': result.Append('\n'); break;
                case 'r': result.Append('\r'); break;
                case 't': result.Append('\t'); break;
                case 'v': result.Append('\v'); break;
                case '\\' or '\'' or '"': result.Append(unit); break;
                case 'x': i = Hex(text, i, 2, result, line); break;
                case 'u': i = Hex(text, i, 4, result, line); break;
                case 'U': i = Hex(text, i, 8, result, line); break;
                case 'N': throw new TemplateException(TemplateErrorKind.Syntax, "character names (\\N{…}) are not supported", line);
                case >= '0' and <= '7': i = Octal(text, i, result); break;
                default: result.Append('\\').Append(unit); break;
            }
        }
        return result.ToString();
    }

    private static int Hex(ReadOnlySpan<char> text, int at, int digits, StringBuilder result, int line)
    {
        if (at + digits >= text.Length
            || !uint.TryParse(text.Slice(at + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code)
            || code > 0x10FFFF)
        {
            throw new TemplateException(TemplateErrorKind.Syntax, $"truncated or invalid \\{text[at]} escape", line);
        }
        if (code < 0x10000)
            result.Append((char)code);
        else
            result.Append(new Rune(code).ToString());
        return at + digits;
    }

    private static int Octal(ReadOnlySpan<char> text, int at, StringBuilder result)
    {
        var value = 0;
        var end = at;
        for (; end < text.Length && end < at + 3 && text[end] is >= '0' and <= '7'; end++)
            value = (value * 8) + (text[end] - '0');
        result.Append((char)value);
        return end - 1;
    }
}
