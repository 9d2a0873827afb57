using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Text;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Methods;

/// <summary>Methods of texts that look for a part, or replace one.</summary>
internal static class SearchMethods
{
    private static readonly string[] Parameters = ["text", "sub", "start", "end"];

    public static readonly Builtin[] All =
    [
        new("startswith", 2, Parameters, static (r, a) => BooleanValue.Of(Matches(r, a, "startswith", static (piece, part) => piece.StartsWith(part, StringComparison.Ordinal)))),
        new("endswith", 2, Parameters, static (r, a) => BooleanValue.Of(Matches(r, a, "endswith", static (piece, part) => piece.EndsWith(part, StringComparison.Ordinal)))),
        new("find", 2, Parameters, static (r, a) => IntegerValue.Of(Find(r, a, last: false))),
        new("rfind", 2, Parameters, static (r, a) => IntegerValue.Of(Find(r, a, last: true))),
        new("index", 2, Parameters, static (r, a) => Index(Find(r, a, last: false))),
        new("rindex", 2, Parameters, static (r, a) => Index(Find(r, a, last: true))),
        new("count", 2, Parameters, static (r, a) => IntegerValue.Of(Count(r, a))),
        new("replace", 3, ["text", "old", "new", "count"], static (r, a) =>
        {
            var source = (StringValue)a[0]!;
            var replacement = StringMethods.Text(a[2]!, "replace");
            if (source.IsMarkup)
                replacement = Html.Escape(r, a[2]!).Text;
            return source.With(Replace(r, source.Text, StringMethods.Text(a[1]!, "replace"), replacement, StringMethods.Integer(a[3], -1)));
        }),
        new("removeprefix", 2, ["text", "prefix"], static (r, a) => Strip(r, a, StringMethods.Text(a[1]!, "removeprefix"), atStart: true)),
        new("removesuffix", 2, ["text", "suffix"], static (r, a) => Strip(r, a, StringMethods.Text(a[1]!, "removesuffix"), atStart: false)),
    ];

    private delegate bool Test(ReadOnlySpan<char> piece, ReadOnlySpan<char> part);

    /// <summary>Replaces the first <paramref name="count"/> occurrences; all where it is negative.</summary>
    public static string Replace(Rendering rendering, string text, string old, string replacement, int count)
    {
        rendering.Budget.Search(text.Length, old.Length);
        var sink = new TextSink(rendering.Budget);
        var at = 0;
        for (; count != 0; count--)
        {
            if (old.Length == 0)
            {
                sink.Append(replacement);
                if (at == text.Length)
                    break;
                var width = CodePoints.WidthAt(text, at);
                sink.Append(text.AsSpan(at, width));
                at += width;
                continue;
            }
            var found = text.IndexOf(old, at, StringComparison.Ordinal);
            if (found < 0)
                break;
            sink.Append(text.AsSpan(at, found - at));
            sink.Append(replacement);
            at = found + old.Length;
        }
        if (at == 0 && sink.Length == 0)
            return text;
        sink.Append(text.AsSpan(at));
        return sink.Take();
    }

    private static bool Matches(Rendering rendering, Value?[] arguments, string method, Test test)
    {
        var text = (StringValue)arguments[0]!;
        rendering.Budget.Scan(text.Text.Length);
        var (start, end) = StringMethods.Range(text, arguments[2], arguments[3]);
        if (arguments[1] is not TupleValue parts)
            return start <= end && test(text.Text.AsSpan(start, end - start), Part(arguments[1]!, method));
        foreach (var part in parts.Items)
        {
            rendering.Budget.Step();
            var one = Part(part, method);
            if (start <= end && test(text.Text.AsSpan(start, end - start), one))
                return true;
        }
        return false;
    }

    private static string Part(Value value, string method) => value switch
    {
        StringValue text => text.Text,
        UndefinedValue undefined => throw undefined.Failure(),
        _ => throw Errors.Type($"{method} first arg must be str or a tuple of str, not {value.TypeName}"),
    };

    private static int Find(Rendering rendering, Value?[] arguments, bool last)
    {
        var text = (StringValue)arguments[0]!;
        var part = StringMethods.Text(arguments[1]!, "find");
        rendering.Budget.Search(text.Text.Length, part.Length);
        var (start, end) = StringMethods.Range(text, arguments[2], arguments[3]);
        if (start > end)
            return -1;
        var piece = text.Text.AsSpan(start, end - start);
        var found = last ? piece.LastIndexOf(part) : piece.IndexOf(part);
        return found < 0 ? -1 : text.IsFlat ? start + found : CodePoints.IndexOf(text.Text, start + found);
    }

    private static IntegerValue Index(int found) => found < 0 ? throw Errors.Value("substring not found") : IntegerValue.Of(found);

    private static int Count(Rendering rendering, Value?[] arguments)
    {
        var text = (StringValue)arguments[0]!;
        var part = StringMethods.Text(arguments[1]!, "count");
        rendering.Budget.Search(text.Text.Length, part.Length);
        var (start, end) = StringMethods.Range(text, arguments[2], arguments[3]);
        if (start > end)
            return 0;
        var piece = text.Text.AsSpan(start, end - start);
        return part.Length == 0 ? CodePoints.Count(piece) + 1 : piece.Count(part);
    }

    private static StringValue Strip(Rendering rendering, Value?[] arguments, string part, bool atStart)
    {
        var text = (StringValue)arguments[0]!;
        if (part.Length == 0 || !(atStart ? text.Text.StartsWith(part, StringComparison.Ordinal) : text.Text.EndsWith(part, StringComparison.Ordinal)))
            return text;
        return rendering.Made(atStart ? text.Text[part.Length..] : text.Text[..^part.Length], text.IsMarkup);
    }
}
