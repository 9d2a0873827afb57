using System.Buffers;
using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Text;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Methods;

/// <summary>Methods of texts that take one apart, put parts together, or cut its ends.</summary>
internal static class SplitMethods
{
    private static readonly SearchValues<char> LineEnds = SearchValues.Create("\n\r\v\f\u001c\u001d\u001e\u0085\u2028\u2029");

    public static readonly Builtin[] All =
    [
        new("split", 1, ["text", "sep", "maxsplit"], static (r, a) => Split(r, a, fromEnd: false)),
        new("rsplit", 1, ["text", "sep", "maxsplit"], static (r, a) => Split(r, a, fromEnd: true)),
        new("splitlines", 1, ["text", "keepends"], static (r, a) => r.Made(Texts(a[0]!, Lines(r, ((StringValue)a[0]!).Text, a[1]?.IsTrue ?? false)))),
        new("partition", 2, ["text", "sep"], static (r, a) => Partition(r, a, last: false)),
        new("rpartition", 2, ["text", "sep"], static (r, a) => Partition(r, a, last: true)),
        new("join", 2, ["text", "iterable"], static (r, a) => Join(r, (StringValue)a[0]!, a[1]!)),
        new("strip", 1, ["text", "chars"], static (r, a) => Strip(r, a, start: true, end: true)),
        new("lstrip", 1, ["text", "chars"], static (r, a) => Strip(r, a, start: true, end: false)),
        new("rstrip", 1, ["text", "chars"], static (r, a) => Strip(r, a, start: false, end: true)),
    ];

    /// <summary>Lines without or with what ends them.</summary>
    public static List<string> Lines(Rendering rendering, string text, bool keepEnds)
    {
        rendering.Budget.Scan(text.Length);
        var lines = new List<string>();
        for (var start = 0; start < text.Length;)
        {
            var length = text.AsSpan(start).IndexOfAny(LineEnds);
            var end = length < 0 ? text.Length : start + length;
            var next = end == text.Length ? end : end + (text[end] == '\r' && end + 1 < text.Length && text[end + 1] == '\n' ? 2 : 1);
            Charge(rendering, end - start);
            lines.Add(text[start..(keepEnds ? next : end)]);
            start = next;
        }
        return lines;
    }

    /// <summary>Cuts white space, or the given characters, from the ends of a text.</summary>
    public static StringValue Strip(Rendering rendering, StringValue source, string? characters, bool start, bool end)
    {
        var text = source.Text;
        rendering.Budget.Scan(text.Length);
        if (characters is not null)
            rendering.Budget.Step(((long)text.Length + 1) * characters.Length >> 5);
        var (from, to) = (0, text.Length);
        while (start && from < to && Has(text, from, CodePoints.WidthAt(text, from), characters))
            from += CodePoints.WidthAt(text, from);
        while (end && to > from)
        {
            var width = to - from > 1 && char.IsSurrogatePair(text[to - 2], text[to - 1]) ? 2 : 1;
            if (!Has(text, to - width, width, characters))
                break;
            to -= width;
        }
        return from == 0 && to == text.Length ? source : rendering.Made(text[from..to], source.IsMarkup);
    }

    private static bool Has(string text, int at, int width, string? characters) => characters is null
        ? CodePoints.IsSpace(text[at])
        : characters.AsSpan().IndexOf(text.AsSpan(at, width)) >= 0;

    private static StringValue Strip(Rendering rendering, Value?[] arguments, bool start, bool end) =>
        Strip(rendering, (StringValue)arguments[0]!, arguments[1] is null or NoneValue ? null : StringMethods.Text(arguments[1]!, "strip"), start, end);

    private static ListValue Split(Rendering rendering, Value?[] arguments, bool fromEnd)
    {
        var text = ((StringValue)arguments[0]!).Text;
        rendering.Budget.Scan(text.Length);
        var most = StringMethods.Integer(arguments[2], -1);
        List<string> parts;
        if (arguments[1] is null or NoneValue)
        {
            parts = fromEnd ? SplitSpacesFromEnd(rendering, text, most) : SplitSpaces(rendering, text, most);
        }
        else
        {
            var separator = StringMethods.Text(arguments[1]!, "split");
            if (separator.Length == 0)
                throw Errors.Value("empty separator");
            rendering.Budget.Search(text.Length, separator.Length);
            parts = fromEnd ? SplitTextFromEnd(rendering, text, separator, most) : SplitText(rendering, text, separator, most);
        }
        return rendering.Made(Texts(arguments[0]!, parts));
    }

    private static List<Value> Texts(Value source, List<string> parts) =>
        parts.ConvertAll<Value>(part => ((StringValue)source).With(part));

    private static List<string> SplitText(Rendering rendering, string text, string separator, int most)
    {
        var parts = new List<string>();
        var start = 0;
        while (most < 0 || parts.Count < most)
        {
            var found = text.IndexOf(separator, start, StringComparison.Ordinal);
            if (found < 0)
                break;
            Charge(rendering, found - start);
            parts.Add(text[start..found]);
            start = found + separator.Length;
        }
        Charge(rendering, text.Length - start);
        parts.Add(text[start..]);
        return parts;
    }

    private static List<string> SplitTextFromEnd(Rendering rendering, string text, string separator, int most)
    {
        var parts = new List<string>();
        var end = text.Length;
        while (most < 0 || parts.Count < most)
        {
            var found = text.AsSpan(0, end).LastIndexOf(separator);
            if (found < 0)
                break;
            Charge(rendering, end - found);
            parts.Add(text[(found + separator.Length)..end]);
            end = found;
        }
        Charge(rendering, end);
        parts.Add(text[..end]);
        parts.Reverse();
        return parts;
    }

    private static List<string> SplitSpaces(Rendering rendering, string text, int most)
    {
        var parts = new List<string>();
        for (var at = 0; ;)
        {
            while (at < text.Length && CodePoints.IsSpace(text[at]))
                at++;
            if (at == text.Length)
                return parts;
            var end = most >= 0 && parts.Count == most ? text.Length : at;
            while (end < text.Length && !CodePoints.IsSpace(text[end]))
                end++;
            Charge(rendering, end - at);
            parts.Add(text[at..end]);
            at = end;
        }
    }

    private static List<string> SplitSpacesFromEnd(Rendering rendering, string text, int most)
    {
        var parts = new List<string>();
        for (var at = text.Length; ;)
        {
            while (at > 0 && CodePoints.IsSpace(text[at - 1]))
                at--;
            if (at == 0)
                break;
            var start = most >= 0 && parts.Count == most ? 0 : at;
            while (start > 0 && !CodePoints.IsSpace(text[start - 1]))
                start--;
            Charge(rendering, at - start);
            parts.Add(text[start..at]);
            at = start;
        }
        parts.Reverse();
        return parts;
    }

    private static TupleValue Partition(Rendering rendering, Value?[] arguments, bool last)
    {
        var source = (StringValue)arguments[0]!;
        var separator = StringMethods.Text(arguments[1]!, "partition");
        if (separator.Length == 0)
            throw Errors.Value("empty separator");
        rendering.Budget.Search(source.Text.Length, separator.Length);
        rendering.Budget.TakeText(source.Text.Length);
        var at = last ? source.Text.LastIndexOf(separator, StringComparison.Ordinal) : source.Text.IndexOf(separator, StringComparison.Ordinal);
        if (at < 0)
            return new TupleValue(last ? [source.With(""), source.With(""), source] : [source, source.With(""), source.With("")]);
        return new TupleValue([source.With(source.Text[..at]), source.With(separator), source.With(source.Text[(at + separator.Length)..])]);
    }

    private static StringValue Join(Rendering rendering, StringValue separator, Value iterable)
    {
        var sink = new TextSink(rendering.Budget);
        var index = 0;
        for (var items = Rendering.Iterate(iterable); rendering.Advance(items); index++)
        {
            if (items.Current is not StringValue text)
                throw Errors.Type($"sequence item {index}: expected str instance, {items.Current.TypeName} found");
            if (index > 0)
                sink.Append(separator.Text);
            sink.Append(separator.IsMarkup ? Html.Escape(rendering, text).Text : text.Text);
        }
        return separator.With(sink.Take());
    }

    private static void Charge(Rendering rendering, int length)
    {
        rendering.Budget.Step();
        rendering.Budget.TakeText(length);
    }
}
