using System.Globalization;
using System.Numerics;
using System.Text;
using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Text;

/// <summary>Python's format specification: <c>[[fill]align][sign][#][0][width][grouping][.precision][type]</c>.</summary>
internal sealed class FormatSpec
{
    private string _fill = " ";
    private char _align;
    private char _sign = '-';
    private bool _alternate;
    private int _width;
    private char _grouping;
    private int _precision = -1;
    private char _type;

    /// <summary>Formats a value as Python's <c>format(value, spec)</c>.</summary>
    public static string Apply(Rendering rendering, Value value, string text)
    {
        if (text.Length == 0)
            return rendering.Text(value);
        if (value is UndefinedValue undefined)
            throw undefined.Failure();
        var spec = Parse(text);
        rendering.Budget.TakeText(spec._width);
        rendering.Budget.Step(Math.Max(spec._precision, 0));
        if (value is IntegerValue integer)
            rendering.Budget.Convert(integer.Value.GetBitLength());
        return value switch
        {
            StringValue word => spec.FormatText(word.Text),
            IntegerValue or BooleanValue or FloatValue when Number.TryRead(value, out var number) => spec.FormatNumber(number, value.TypeName),
            _ => throw Errors.Type($"unsupported format string passed to {value.TypeName}.__format__"),
        };
    }

    private static FormatSpec Parse(string text)
    {
        var spec = new FormatSpec();
        var at = 0;
        var fill = text.Length == 0 ? 0 : CodePoints.WidthAt(text, 0);
        if (text.Length > fill && IsAlign(text[fill]))
        {
            spec._fill = text[..fill];
            spec._align = text[fill];
            at = fill + 1;
        }
        else if (IsAlign(text[0]))
        {
            spec._align = text[at++];
        }
        if (at < text.Length && text[at] is '+' or '-' or ' ')
            spec._sign = text[at++];
        if (at < text.Length && text[at] == 'z')
            at++;
        if (at < text.Length && text[at] == '#')
        {
            spec._alternate = true;
            at++;
        }
        if (at < text.Length && text[at] == '0')
        {
            at++;
            if (spec._align == 0)
                (spec._fill, spec._align) = ("0", '=');
        }
        spec._width = Digits(text, ref at) ?? 0;
        if (at < text.Length && text[at] is ',' or '_')
            spec._grouping = text[at++];
        if (at < text.Length && text[at] == '.')
        {
            at++;
            spec._precision = Digits(text, ref at) ?? throw Errors.Value("Format specifier missing precision");
        }
        if (at < text.Length)
            spec._type = text[at++];
        return at == text.Length ? spec : throw Errors.Value($"Invalid format specifier '{text}'");
    }

    private static bool IsAlign(char unit) => unit is '<' or '>' or '=' or '^';

    private static int? Digits(string text, ref int at)
    {
        var start = at;
        while (at < text.Length && char.IsAsciiDigit(text[at]))
            at++;
        if (start == at)
            return null;
        return int.TryParse(text.AsSpan(start, at - start), NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw Errors.Value("Too many decimal digits in format string");
    }

    private string FormatText(string text)
    {
        if (_type is not ('\0' or 's'))
            throw Errors.Value($"Unknown format code '{_type}' for object of type 'str'");
        if (_grouping != 0)
            throw Errors.Value($"Cannot specify '{_grouping}' with 's'.");
        if (_align == '=' && _fill != "0")
            throw Errors.Value("'=' alignment not allowed in string format specifier");
        if (_precision >= 0 && CodePoints.Count(text) > _precision)
            text = CodePoints.Substring(text, 0, _precision);
        return Pad("", text, _align is '\0' or '=' ? '<' : _align);
    }

    private string FormatNumber(Number number, string typeName)
    {
        var negative = number.IsInteger ? number.Integer.Sign < 0 : double.IsNegative(number.AsDouble);
        var (prefix, body) = number.IsInteger && _type is '\0' or 'd' or 'n' or 'b' or 'o' or 'x' or 'X' or 'c'
            ? number.IsInteger ? IntegerText(number.Integer) : throw Errors.Value($"Unknown format code '{_type}' for object of type '{typeName}'")
            : ("", FloatText(Math.Abs(number.ToFloat())));
        var sign = negative ? "-" : _sign == '-' ? "" : _sign.ToString();
        if (_grouping != 0)
            body = Group(body, _type is 'b' or 'o' or 'x' or 'X' ? 4 : 3);
        return Pad(sign + prefix, body, _align == 0 ? '>' : _align);
    }

    private (string Prefix, string Body) IntegerText(BigInteger value)
    {
        if (_precision >= 0)
            throw Errors.Value("Precision not allowed in integer format specifier");
        if (_type == 'c')
        {
            return value >= 0 && Rune.IsValid((int)BigInteger.Min(value, int.MaxValue))
                ? ("", char.ConvertFromUtf32((int)value))
                : throw Errors.Value("%c arg not in range(0x110000)");
        }
        return _type switch
        {
            'b' => (_alternate ? "0b" : "", Radix(value, 1)),
            'o' => (_alternate ? "0o" : "", Radix(value, 3)),
            'x' => (_alternate ? "0x" : "", Radix(value, 4)),
            'X' => (_alternate ? "0X" : "", Radix(value, 4).ToUpperInvariant()),
            _ => ("", PythonNumber.Text(BigInteger.Abs(value))),
        };
    }

    /// <summary>Digits of the absolute value in a base that is a power of two.</summary>
    public static string Radix(BigInteger value, int bitsPerDigit)
    {
        var rest = BigInteger.Abs(value);
        if (rest.IsZero)
            return "0";
        var digits = new char[(int)((rest.GetBitLength() + bitsPerDigit - 1) / bitsPerDigit)];
        var bits = rest.ToByteArray();
        for (var i = 0; i < digits.Length; i++)
        {
            var digit = 0;
            for (var bit = 0; bit < bitsPerDigit; bit++)
            {
                var at = (i * bitsPerDigit) + bit;
                if (at >> 3 < bits.Length && (bits[at >> 3] >> (at & 7) & 1) != 0)
                    digit |= 1 << bit;
            }
            digits[^(i + 1)] = "0123456789abcdef"[digit];
        }
        return new string(digits);
    }

    private string FloatText(double value)
    {
        var precision = _precision < 0 ? 6 : _precision;
        if (!double.IsFinite(value))
            return _type is 'F' or 'E' or 'G' ? PythonNumber.NonFinite(value).ToUpperInvariant() : PythonNumber.NonFinite(value);
        switch (_type)
        {
            case 'f' or 'F':
                return ExactDecimal.Fixed(value, precision) + (_alternate && precision == 0 ? "." : "");
            case '%':
                return ExactDecimal.Fixed(value * 100, precision) + "%";
            case 'e':
                return ExactDecimal.Scientific(value, precision, out _);
            case 'E':
                return ExactDecimal.Scientific(value, precision, out _).ToUpperInvariant();
            case 'g' or 'n':
                return ExactDecimal.General(value, precision, _alternate);
            case 'G':
                return ExactDecimal.General(value, precision, _alternate).ToUpperInvariant();
            case '\0':
                if (_precision < 0)
                    return PythonNumber.Text(value);
                var text = ExactDecimal.General(value, precision, false);
                return text.AsSpan().IndexOfAny(".e") < 0 ? text + ".0" : text;
            default:
                throw Errors.Value($"Unknown format code '{_type}' for object of type 'float'");
        }
    }

    private string Group(string body, int size)
    {
        var whole = body.AsSpan().IndexOfAny(".e%");
        var end = whole < 0 ? body.Length : whole;
        var grouped = new StringBuilder(body.Length + (end / size));
        for (var at = 0; at < body.Length; at++)
        {
            if (at > 0 && at < end && (end - at) % size == 0)
                grouped.Append(_grouping);
            grouped.Append(body[at]);
        }
        return grouped.ToString();
    }

    private string Pad(string prefix, string body, char align)
    {
        var missing = _width - CodePoints.Count(prefix) - CodePoints.Count(body);
        if (missing <= 0)
            return prefix + body;
        var left = align switch { '<' => 0, '^' => missing / 2, _ => missing };
        return align == '='
            ? prefix + Repeat(missing) + body
            : Repeat(left) + prefix + body + Repeat(missing - left);
    }

    private string Repeat(int count) => _fill.Length == 1 ? new string(_fill[0], count) : string.Concat(Enumerable.Repeat(_fill, count));
}
