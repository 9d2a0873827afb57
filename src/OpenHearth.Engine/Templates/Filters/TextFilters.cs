using System.Text;
using OpenHearth.Engine.Templates.Methods;
using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Text;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Filters;

/// <summary>Filters that make a text of another, or of any value.</summary>
internal static class TextFilters
{
    public static readonly Builtin[] All =
    [
        new("string", static (r, value) => Soft(r, value)),
        new("upper", static (r, value) => Map(r, value, Casing.Upper)),
        new("lower", static (r, value) => Map(r, value, Casing.Lower)),
        new("capitalize", static (r, value) => Map(r, value, Casing.Capitalize)),
        new("title", static (r, value) => StringValue.Of(Title(r, r.Text(value)))),
        new("trim", 1, ["value", "chars"], static (r, a) => SplitMethods.Strip(
            r, Soft(r, a[0]!), a[1] is null or NoneValue ? null : StringMethods.Text(a[1]!, "strip"), start: true, end: true)),
        new("replace", 3, ["s", "old", "new", "count"], static (r, a) => StringValue.Of(SearchMethods.Replace(
            r, r.Text(a[0]!), r.Text(a[1]!), r.Text(a[2]!), a[3] is NoneValue ? -1 : StringMethods.Integer(a[3], -1)))),
        new("format", static (r, a) => PercentFormat.Format(r, Soft(r, First(a)), FormatArguments(r, a))),
        new("tojson", 1, ["x", "ensure_ascii", "indent", "separators", "sort_keys"], static (r, a) => ToJson(r, a)),
        new("wordcount", static (r, value) => IntegerValue.Of(CountWords(r, r.Text(value)))),
        new("urlencode", static (r, value) => StringValue.Of(UrlEncode(r, value))),
    ];

    /// <summary>The value as text; text and markup stay as they are.</summary>
    public static StringValue Soft(Rendering rendering, Value value) =>
        value as StringValue ?? StringValue.Of(rendering.Text(value));

    private static Value First(Arguments arguments) =>
        arguments.Positional.Length > 0 ? arguments.Positional[0] : throw Errors.Type("format() missing required argument: 'value'");

    private static StringValue Map(Rendering rendering, Value value, Func<Rendering, string, string> map)
    {
        var text = Soft(rendering, value);
        return text.With(map(rendering, text.Text));
    }

    /// <summary>The first letter of each word large, the others small; words start after blanks, hyphens and opening brackets.</summary>
    private static string Title(Rendering rendering, string text)
    {
        var sink = new TextSink(rendering.Budget);
        for (var start = 0; start < text.Length;)
        {
            var end = start;
            while (end < text.Length && IsWordStart(text[end]) == IsWordStart(text[start]))
                end++;
            var width = CodePoints.WidthAt(text, start);
            sink.Append(Casing.Upper(rendering, text.Substring(start, width)));
            sink.Append(Casing.Lower(rendering, text[(start + width)..end]));
            start = end;
        }
        return sink.Take();
    }

    private static bool IsWordStart(char unit) => CodePoints.IsSpace(unit) || unit is '-' or '(' or '{' or '[' or '<';

    private static Value FormatArguments(Rendering rendering, Arguments arguments)
    {
        if (arguments.Named.Length > 0 && arguments.Positional.Length > 1)
            throw Errors.Type("can't handle positional and keyword arguments at the same time");
        if (arguments.Named.Length == 0)
            return new TupleValue(arguments.Skip(1).Positional);
        rendering.Budget.TakeItems(arguments.Named.Length);
        var names = new DictValue();
        foreach (var (name, value) in arguments.Named)
            names.Set(StringValue.Of(name), value);
        return names;
    }

    private static StringValue ToJson(Rendering rendering, Value?[] arguments)
    {
        var indent = arguments[2] switch
        {
            null or NoneValue => null,
            StringValue text => text.Text,
            { } width => Blanks(rendering, StringMethods.Integer(width, 0)),
        };
        var (items, keys) = (indent is null ? ", " : ",", ": ");
        if (arguments[3] is not (null or NoneValue))
        {
            var pair = rendering.ToList(arguments[3]!);
            if (pair.Count != 2)
                throw Errors.Value($"not enough values to unpack (expected 2, got {pair.Count})");
            (items, keys) = (StringMethods.Text(pair[0], "dumps"), StringMethods.Text(pair[1], "dumps"));
        }
        var json = new JsonText(rendering, indent, items, keys, arguments[4]?.IsTrue ?? false, arguments[1]?.IsTrue ?? false);
        return StringValue.Of(json.Write(arguments[0]!));
    }

    private static string Blanks(Rendering rendering, int count)
    {
        rendering.Budget.TakeText(Math.Max(count, 0));
        return new string(' ', Math.Max(count, 0));
    }

    private static int CountWords(Rendering rendering, string text)
    {
        rendering.Budget.Walk(text.Length);
        var (count, inWord) = (0, false);
        foreach (var rune in text.EnumerateRunes())
        {
            var isWord = Rune.IsLetterOrDigit(rune) || rune.Value == '_' || Rune.GetNumericValue(rune) >= 0;
            count += isWord && !inWord ? 1 : 0;
            inWord = isWord;
        }
        return count;
    }

    private static string UrlEncode(Rendering rendering, Value value)
    {
        if (value is StringValue || value.Iterate() is null)
            return Quote(rendering, rendering.Text(value), "/");
        var pairs = value is DictValue dict ? new DictViewValue(dict, "items") : value;
        var sink = new TextSink(rendering.Budget);
        foreach (var pair in rendering.ToList(pairs))
        {
            var parts = rendering.ToList(pair);
            if (parts.Count != 2)
                throw Errors.Value($"not enough values to unpack (expected 2, got {parts.Count})");
            if (sink.Length > 0)
                sink.Append('&');
            sink.Append(Quote(rendering, rendering.Text(parts[0]), "").Replace("%20", "+", StringComparison.Ordinal));
            sink.Append('=');
            sink.Append(Quote(rendering, rendering.Text(parts[1]), "").Replace("%20", "+", StringComparison.Ordinal));
        }
        return sink.Take();
    }

    private static string Quote(Rendering rendering, string text, string safe)
    {
        rendering.Budget.TakeText(2L * text.Length);
        var sink = new TextSink(rendering.Budget);
        foreach (var octet in Encoding.UTF8.GetBytes(text))
        {
            var unit = (char)octet;
            if (char.IsAsciiLetterOrDigit(unit) || unit is '_' or '.' or '-' or '~' || safe.Contains(unit))
                sink.Append(unit);
            else
                sink.Append($"%{octet:X2}");
        }
        return sink.Take();
    }
}
