using OpenHearth.Engine.Templates.Methods;
using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Text;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Filters;

/// <summary>Filters that lay out a text: indentation, width, length.</summary>
internal static class LayoutFilters
{
    public static readonly Builtin[] All =
    [
        new("indent", 1, ["s", "width", "first", "blank"], static (r, a) => Indent(r, a)),
        new("center", 1, ["value", "width"], static (r, a) => PaddingMethods.Center(r, TextFilters.Soft(r, a[0]!), StringMethods.Integer(a[1], 80), null)),
        new("truncate", 1, ["s", "length", "killwords", "end", "leeway"], static (r, a) => Truncate(r, a)),
        new("wordwrap", 1, ["s", "width", "break_long_words", "wrapstring", "break_on_hyphens"], static (r, a) => WordWrap(r, a)),
    ];

    private static string Text(Value value) => value switch
    {
        StringValue text => text.Text,
        UndefinedValue undefined => throw undefined.Failure(),
        _ => throw Errors.Type($"'{value.TypeName}' object has no attribute 'splitlines'"),
    };

    private static StringValue Indent(Rendering rendering, Value?[] arguments)
    {
        if (arguments[0] is UndefinedValue undefined)
            throw undefined.Failure();
        if (arguments[0] is not StringValue source)
            throw Errors.Type($"unsupported operand type(s) for +=: '{arguments[0]!.TypeName}' and 'str'");
        var indent = arguments[1] is StringValue given ? given.Text : Blanks(rendering, StringMethods.Integer(arguments[1], 4));
        var indentsFirst = arguments[2]?.IsTrue ?? false;
        var indentsBlank = arguments[3]?.IsTrue ?? false;
        var sink = new TextSink(rendering.Budget);
        var lines = SplitMethods.Lines(rendering, source.Text + "\n", keepEnds: false);
        for (var i = 0; i < lines.Count; i++)
        {
            if (i > 0)
                sink.Append('\n');
            if (i == 0 ? indentsFirst : indentsBlank || lines[i].Length > 0)
                sink.Append(indent);
            sink.Append(lines[i]);
        }
        return source.With(sink.Take());
    }

    private static string Blanks(Rendering rendering, int count)
    {
        rendering.Budget.TakeText(Math.Max(count, 0));
        return new string(' ', Math.Max(count, 0));
    }

    private static Value Truncate(Rendering rendering, Value?[] arguments)
    {
        var length = StringMethods.Integer(arguments[1], 255);
        var end = arguments[3] is null ? "..." : StringMethods.Text(arguments[3]!, "truncate");
        var leeway = arguments[4] is NoneValue ? 5 : StringMethods.Integer(arguments[4], 5);
        var endLength = CodePoints.Count(end);
        if (length < endLength)
            throw Errors.Value($"expected length >= {endLength}, got {length}");
        if (leeway < 0)
            throw Errors.Value($"expected leeway >= 0, got {leeway}");
        if ((arguments[0]!.Length ?? throw Errors.Type($"object of type '{arguments[0]!.TypeName}' has no len()")) <= (long)length + leeway)
            return arguments[0]!;
        if (arguments[0] is not StringValue source)
            throw Errors.Type($"can only truncate str (not \"{arguments[0]!.TypeName}\")");
        rendering.Budget.Scan(source.Text.Length);
        var kept = CodePoints.Substring(source.Text, 0, length - endLength);
        if (!(arguments[2]?.IsTrue ?? false) && kept.LastIndexOf(' ') is >= 0 and var blank)
            kept = kept[..blank];
        return rendering.Made(kept + end, source.IsMarkup);
    }

    /// <summary>Breaks each line at blanks and hyphens so that it is no longer than a width.</summary>
    private static StringValue WordWrap(Rendering rendering, Value?[] arguments)
    {
        var width = StringMethods.Integer(arguments[1], 79);
        if (width <= 0)
            throw Errors.Value($"invalid width {width} (must be > 0)");
        var breaksWords = arguments[2]?.IsTrue ?? true;
        var newLine = arguments[3] is null or NoneValue ? "\n" : StringMethods.Text(arguments[3]!, "wordwrap");
        var breaksHyphens = arguments[4]?.IsTrue ?? true;
        var sink = new TextSink(rendering.Budget);
        var first = true;
        foreach (var line in SplitMethods.Lines(rendering, Text(arguments[0]!), keepEnds: false))
        {
            if (!first)
                sink.Append(newLine);
            first = false;
            Wrap(sink, line, width, breaksWords, breaksHyphens, newLine);
        }
        return StringValue.Of(sink.Take());
    }

    private static void Wrap(TextSink sink, string line, int width, bool breaksWords, bool breaksHyphens, string newLine)
    {
        var isFirst = true;
        var next = 0;
        for (var start = 0; start < line.Length;)
        {
            sink.Budget.Step();
            if (next <= start)
                next = EndOfPiece(line, start, breaksHyphens);
            if (!isFirst && line[start] == ' ')
            {
                start = next;
                continue;
            }
            var end = start;
            while (end < line.Length && next - start <= width)
            {
                end = next;
                next = end < line.Length ? EndOfPiece(line, end, breaksHyphens) : end;
            }
            if (next - end > width)
                end = breaksWords ? EndOfPart(line, start, end, width, breaksHyphens) : end == start ? next : end;
            var text = line.AsSpan(start, end - start).TrimEnd(' ');
            if (text.Length > 0 && !isFirst)
                sink.Append(newLine);
            isFirst &= text.Length == 0;
            sink.Append(text);
            start = end;
        }
    }

    /// <summary>Where a word, or the blanks between two, ends; a hyphen between letters ends a word.</summary>
    private static int EndOfPiece(string line, int start, bool breaksHyphens)
    {
        var end = start + 1;
        while (end < line.Length && (line[end] == ' ') == (line[start] == ' ') && !(breaksHyphens && line[end - 1] == '-' && IsBreak(line, start, end)))
            end++;
        return end;
    }

    /// <summary>How much of a word that is longer than a line fits on this one, preferably up to a hyphen.</summary>
    private static int EndOfPart(string line, int start, int word, int width, bool breaksHyphens)
    {
        var end = start + width;
        var part = line.AsSpan(word, end - word);
        var hyphen = breaksHyphens ? part.LastIndexOf('-') : -1;
        return hyphen > 0 && part[..hyphen].IndexOfAnyExcept('-') >= 0 ? word + hyphen + 1 : end;
    }

    /// <summary>True between a hyphen after two letters and two more letters, which may have a hyphen between them too.</summary>
    private static bool IsBreak(string line, int start, int end)
    {
        var hyphen = end - 1;
        var before = hyphen - start >= 2 && char.IsLetter(line[hyphen - 1])
            && (char.IsLetter(line[hyphen - 2]) || (hyphen - start >= 3 && line[hyphen - 2] == '-' && char.IsLetter(line[hyphen - 3])));
        var next = end + 1 < line.Length && line[end + 1] == '-' ? end + 2 : end + 1;
        return before && char.IsLetter(line[end]) && next < line.Length && char.IsLetter(line[next]);
    }
}
