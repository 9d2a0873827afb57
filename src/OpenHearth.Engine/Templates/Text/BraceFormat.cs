using System.Globalization;
using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Text;

/// <summary>Python's <c>str.format</c>; members and elements in a field are read through the sandbox.</summary>
internal sealed class BraceFormat
{
    private readonly Rendering _rendering;
    private readonly bool _isMarkup;
    private readonly Arguments _arguments;
    private readonly Func<string, Value?> _named;
    private int _next;
    private bool? _numbersItself;

    private BraceFormat(Rendering rendering, bool isMarkup, Arguments arguments, Func<string, Value?> named)
    {
        _rendering = rendering;
        _isMarkup = isMarkup;
        _arguments = arguments;
        _named = named;
    }

    public static StringValue Format(Rendering rendering, StringValue format, Arguments arguments, DictValue? mapping = null)
    {
        rendering.Budget.Scan(format.Text.Length);
        var run = new BraceFormat(rendering, format.IsMarkup, arguments, name => mapping is null ? arguments.Find(name) : mapping.Find(name));
        return format.With(run.Run(format.Text, 2));
    }

    private string Run(string text, int depth)
    {
        if (depth < 0)
            throw Errors.Value("Max string recursion exceeded");
        var sink = new TextSink(_rendering.Budget);
        for (var at = 0; at < text.Length;)
        {
            var brace = text.AsSpan(at).IndexOfAny('{', '}');
            if (brace < 0)
            {
                sink.Append(text.AsSpan(at));
                break;
            }
            sink.Append(text.AsSpan(at, brace));
            at += brace;
            var unit = text[at++];
            if (at < text.Length && text[at] == unit)
            {
                sink.Append(unit);
                at++;
            }
            else if (unit == '}')
            {
                throw Errors.Value("Single '}' encountered in format string");
            }
            else
            {
                var end = End(text, at);
                sink.Append(Field(text[at..end], depth));
                at = end + 1;
            }
        }
        return sink.Take();
    }

    /// <summary>The offset of the brace that closes a field.</summary>
    private static int End(string text, int start)
    {
        for (int at = start, open = 1; at < text.Length; at++)
        {
            open += text[at] switch { '{' => 1, '}' => -1, _ => 0 };
            if (open == 0)
                return at;
        }
        throw Errors.Value(start >= text.Length ? "Single '{' encountered in format string" : "expected '}' before end of string");
    }

    private string Field(string field, int depth)
    {
        _rendering.Budget.Step();
        var nameEnd = 0;
        for (var bracket = false; nameEnd < field.Length && (bracket || field[nameEnd] is not ('!' or ':')); nameEnd++)
            bracket = field[nameEnd] == '[' || (bracket && field[nameEnd] != ']');
        var value = Lookup(field[..nameEnd]);
        var at = nameEnd;
        if (at < field.Length && field[at] == '!')
        {
            if (at + 1 >= field.Length || (at + 2 < field.Length && field[at + 2] != ':'))
                throw Errors.Value("expected ':' after conversion specifier");
            value = StringValue.Of(field[at + 1] switch
            {
                's' => _rendering.Text(value),
                'r' or 'a' => _rendering.Repr(value),
                _ => throw Errors.Value($"Unknown conversion specifier {field[at + 1]}"),
            });
            at += 2;
        }
        var spec = at < field.Length ? Run(field[(at + 1)..], depth - 1) : "";
        var text = FormatSpec.Apply(_rendering, value, spec);
        return _isMarkup && value is not StringValue { IsMarkup: true } ? Html.EscapeText(_rendering, text).Text : text;
    }

    private Value Lookup(string path)
    {
        var end = path.AsSpan().IndexOfAny('.', '[');
        var name = end < 0 ? path : path[..end];
        var value = First(name);
        for (var at = end < 0 ? path.Length : end; at < path.Length;)
        {
            if (path[at] == '.')
            {
                var stop = path.AsSpan(at + 1).IndexOfAny('.', '[');
                stop = stop < 0 ? path.Length : at + 1 + stop;
                value = Access.Attribute(_rendering, value, StringValue.Of(path[(at + 1)..stop]));
                at = stop;
            }
            else
            {
                var close = path.IndexOf(']', at);
                if (close < 0)
                    throw Errors.Value("Missing ']' in format string");
                var key = path[(at + 1)..close];
                value = Access.Item(_rendering, value, Index(key) is { } index ? IntegerValue.Of(index) : StringValue.Of(key));
                at = close + 1;
                if (at < path.Length && path[at] is not ('.' or '['))
                    throw Errors.Value("Only '.' or '[' may follow ']' in format field specifier");
            }
        }
        return value;
    }

    private Value First(string name)
    {
        var index = name.Length == 0 ? _next++ : Index(name);
        if (index is not { } position)
            return _named(name) ?? throw Errors.Value($"'{name}'");
        if (_numbersItself == (name.Length > 0))
            throw Errors.Value("cannot switch between manual field specification and automatic field numbering");
        _numbersItself = name.Length == 0;
        return position < _arguments.Positional.Length
            ? _arguments.Positional[position]
            : throw Errors.Value($"Replacement index {position} out of range for positional args tuple");
    }

    private static int? Index(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : null;
}
