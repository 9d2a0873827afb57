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

    private static StringValue Truncate(Rendering rendering, Value?[] arguments)
    {
        var source = TextFilters.Soft(rendering, arguments[0]!);
        var length = StringMethods.Integer(arguments[1], 255);
        var end = arguments[3] is null ? "..." : StringMethods.Text(arguments[3]!, "truncate");
        var leeway = arguments[4] is NoneValue ? 5 : StringMethods.Integer(arguments[4], 5);
        var endLength = CodePoints.Count(end);
        if (length < endLength)
            throw Errors.Value($"expected length >= {endLength}, got {length}");
        if (leeway < 0)
            throw Errors.Value($"expected leeway >= 0, got {leeway}");
        if (source.Length!.Value <= (long)length + leeway)
            return source;
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
        foreach (var line in SplitMethods.Lines(rendering, rendering.Text(arguments[0]!), keepEnds: false))
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
        var pieces = new Queue<string>(Pieces(line, breaksHyphens));
        var rest = "";
        var isFirst = true;
        while (pieces.Count > 0 || rest.Length > 0)
        {
            var current = "";
            while (pieces.Count > 0 || rest.Length > 0)
            {
                sink.Budget.Step();
                var piece = rest.Length > 0 ? rest : pieces.Dequeue();
                rest = "";
                if (current.Length + piece.Length <= width)
                {
                    current += piece;
                    continue;
                }
                rest = piece;
                if (piece.Length > width)
                {
                    var room = breaksWords ? width - current.Length : current.Length == 0 ? piece.Length : 0;
                    current += piece[..room];
                    rest = piece[room..];
                }
                break;
            }
            if (!isFirst)
                sink.Append(newLine);
            isFirst = false;
            sink.Append(current.AsSpan().TrimEnd(' '));
            if (rest.Length > 0 && rest.AsSpan().Trim(' ').Length == 0)
                rest = "";
        }
    }

    /// <summary>Words and the blanks between them; a hyphen between letters ends a piece.</summary>
    private static IEnumerable<string> Pieces(string line, bool breaksHyphens)
    {
        for (var start = 0; start < line.Length;)
        {
            var end = start + 1;
            while (end < line.Length && (line[end] == ' ') == (line[start] == ' '))
            {
                if (breaksHyphens && line[end - 1] == '-' && end - 1 > start && char.IsLetter(line[end - 2]) && char.IsLetter(line[end]))
                    break;
                end++;
            }
            yield return line[start..end];
            start = end;
        }
    }
}
