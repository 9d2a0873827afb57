using System.Globalization;
using System.Numerics;
using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Text;

/// <summary>Python's <c>%</c> on a text.</summary>
internal sealed class PercentFormat
{
    private readonly Rendering _rendering;
    private readonly StringValue _format;
    private readonly string _text;
    private readonly Value _arguments;
    private readonly TextSink _sink;
    private int _at;
    private int _next;

    private PercentFormat(Rendering rendering, StringValue format, Value arguments)
    {
        _rendering = rendering;
        _format = format;
        _text = format.Text;
        _arguments = arguments;
        _sink = new TextSink(rendering.Budget);
    }

    /// <summary>Formats a tuple of values, a dictionary of named ones, or one value.</summary>
    public static StringValue Format(Rendering rendering, StringValue format, Value arguments)
    {
        rendering.Budget.Scan(format.Text.Length);
        return new PercentFormat(rendering, format, arguments).Run();
    }

    private StringValue Run()
    {
        while (_at < _text.Length)
        {
            var percent = _text.IndexOf('%', _at);
            if (percent < 0)
                percent = _text.Length;
            _sink.Append(_text.AsSpan(_at, percent - _at));
            _at = percent + 1;
            if (percent < _text.Length)
                Directive();
        }
        if (_arguments is TupleValue tuple ? _next < tuple.Items.Length : _next == 0 && _arguments is not (DictValue or ListValue or RangeValue or UndefinedValue))
            throw Errors.Type("not all arguments converted during string formatting");
        return _format.With(_sink.Take());
    }

    private void Directive()
    {
        var name = Name();
        var flags = "";
        while (_at < _text.Length && _text[_at] is '#' or '0' or '-' or ' ' or '+')
        {
            if (!flags.Contains(_text[_at]))
                flags += _text[_at];
            _at++;
        }
        var width = Count();
        int? precision = null;
        if (_at < _text.Length && _text[_at] == '.')
        {
            _at++;
            precision = Math.Max(Count(), 0);
        }
        if (_at < _text.Length && _text[_at] is 'h' or 'l' or 'L')
            _at++;
        if (_at >= _text.Length)
            throw Errors.Value("incomplete format");
        if (width < 0)
        {
            flags += "-";
            width = -width;
        }
        _sink.Budget.TakeText(width);
        _sink.Budget.Step(1 + (precision ?? 0));
        Convert(_text[_at++], name, flags, width, precision);
    }

    private string? Name()
    {
        if (_at >= _text.Length || _text[_at] != '(')
            return null;
        var start = ++_at;
        for (var open = 1; _at < _text.Length; _at++)
        {
            open += _text[_at] switch { '(' => 1, ')' => -1, _ => 0 };
            if (open == 0)
                return _text[start.._at++];
        }
        throw Errors.Value("incomplete format key");
    }

    /// <summary>A width or precision: digits, or a star for the next argument; 0 where there is none.</summary>
    private int Count()
    {
        if (_at < _text.Length && _text[_at] == '*')
        {
            _at++;
            if (!Number.TryInteger(Argument(null), out var value))
                throw Errors.Type("* wants int");
            return BigInteger.Abs(value) <= int.MaxValue ? (int)value : throw Errors.Limit("a width without bounds");
        }
        var start = _at;
        while (_at < _text.Length && char.IsAsciiDigit(_text[_at]))
            _at++;
        if (start == _at)
            return 0;
        return int.TryParse(_text.AsSpan(start, _at - start), NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            ? count
            : throw Errors.Value("width too big");
    }

    private Value Argument(string? name)
    {
        if (name is not null)
        {
            _next++;
            if (_arguments is not DictValue dict)
                throw Errors.Type("format requires a mapping");
            return dict.Find(name) ?? throw Errors.Value($"'{name}'");
        }
        if (_arguments is TupleValue tuple)
        {
            return _next < tuple.Items.Length
                ? tuple.Items[_next++]
                : throw Errors.Type("not enough arguments for format string");
        }
        return _next++ == 0 ? _arguments : throw Errors.Type("not enough arguments for format string");
    }

    private void Convert(char type, string? name, string flags, int width, int? precision)
    {
        var (prefix, body) = ("", "");
        switch (type)
        {
            case '%':
                _sink.Append('%');
                return;
            case 's' or 'r' or 'a':
                body = TextOf(type, Argument(name));
                if (precision is { } most && CodePoints.Count(body) > most)
                    body = CodePoints.Substring(body, 0, most);
                break;
            case 'c':
                var unit = Argument(name);
                body = unit is StringValue { Length: 1 } one ? one.Text
                    : FormatSpec.Apply(_rendering, unit is IntegerValue ? unit : throw Errors.Type("%c requires int or char"), "c");
                break;
            case 'd' or 'i' or 'u' or 'x' or 'X' or 'o':
                var number = Argument(name);
                if (number is IntegerValue integer)
                    _sink.Budget.Convert(integer.Value.GetBitLength());
                (prefix, body) = IntegerText(type, number, flags);
                if (precision is { } least && least > body.Length)
                {
                    _sink.Budget.TakeText(least);
                    body = body.PadLeft(least, '0');
                }
                break;
            case 'e' or 'E' or 'f' or 'F' or 'g' or 'G':
                (prefix, body) = FloatText(type, Argument(name), flags, precision ?? 6);
                break;
            default:
                throw Errors.Value($"unsupported format character '{type}' (0x{(int)type:x}) at index {_at - 1}");
        }
        var missing = width - CodePoints.Count(prefix) - CodePoints.Count(body);
        var isNumber = type is not ('s' or 'r' or 'a' or 'c');
        if (missing > 0 && !flags.Contains('-'))
        {
            var zeros = flags.Contains('0') && isNumber;
            body = zeros ? prefix + new string('0', missing) + body : new string(' ', missing) + prefix + body;
            _sink.Append(body);
            return;
        }
        _sink.Append(prefix);
        _sink.Append(body);
        _sink.Append(' ', Math.Max(missing, 0));
    }

    private string TextOf(char type, Value value)
    {
        var text = type == 's' ? _rendering.Text(value) : _rendering.Repr(value);
        return _format.IsMarkup && value is not StringValue { IsMarkup: true } ? Html.EscapeText(_rendering, text).Text : text;
    }

    private static (string Prefix, string Body) IntegerText(char type, Value value, string flags)
    {
        if (!Number.TryRead(value, out var number) || (!number.IsInteger && type is 'x' or 'X' or 'o'))
        {
            throw Errors.Type($"%{type} format: {(type is 'x' or 'X' or 'o' ? "an integer" : "a real number")} is required, not {value.TypeName}");
        }
        var integer = number.IsInteger ? number.Integer
            : double.IsFinite(number.AsDouble) ? new BigInteger(Math.Truncate(number.AsDouble))
            : throw Errors.Value("cannot convert float infinity or NaN to integer");
        var sign = Sign(integer.Sign < 0, flags);
        var alternate = flags.Contains('#');
        return type switch
        {
            'x' => (sign + (alternate ? "0x" : ""), FormatSpec.Radix(integer, 4)),
            'X' => (sign + (alternate ? "0X" : ""), FormatSpec.Radix(integer, 4).ToUpperInvariant()),
            'o' => (sign + (alternate ? "0o" : ""), FormatSpec.Radix(integer, 3)),
            _ => (sign, PythonNumber.Text(BigInteger.Abs(integer))),
        };
    }

    private static (string Prefix, string Body) FloatText(char type, Value value, string flags, int precision)
    {
        if (value is UndefinedValue undefined)
            throw undefined.Failure();
        if (!Number.TryRead(value, out var number))
            throw Errors.Type($"must be real number, not {value.TypeName}");
        var real = number.ToFloat();
        var size = Math.Abs(real);
        var body = !double.IsFinite(real) ? PythonNumber.NonFinite(size) : char.ToLowerInvariant(type) switch
        {
            'f' => ExactDecimal.Fixed(size, precision),
            'e' => ExactDecimal.Scientific(size, precision, out _),
            _ => ExactDecimal.General(size, precision, flags.Contains('#')),
        };
        return (Sign(double.IsNegative(real), flags), char.IsUpper(type) ? body.ToUpperInvariant() : body);
    }

    private static string Sign(bool negative, string flags) =>
        negative ? "-" : flags.Contains('+') ? "+" : flags.Contains(' ') ? " " : "";
}
