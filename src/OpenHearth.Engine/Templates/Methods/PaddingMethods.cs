using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Methods;

/// <summary>Methods of texts that fill one up to a width.</summary>
internal static class PaddingMethods
{
    public static readonly Builtin[] All =
    [
        new("center", 2, ["text", "width", "fillchar"], static (r, a) => Center(r, (StringValue)a[0]!, StringMethods.Integer(a[1], 0), a[2])),
        new("ljust", 2, ["text", "width", "fillchar"], static (r, a) => Pad(r, (StringValue)a[0]!, 0, Missing(a), a[2])),
        new("rjust", 2, ["text", "width", "fillchar"], static (r, a) => Pad(r, (StringValue)a[0]!, Missing(a), 0, a[2])),
        new("zfill", 2, ["text", "width"], static (r, a) => Zeros(r, (StringValue)a[0]!, Missing(a))),
        new("expandtabs", 1, ["text", "tabsize"], static (r, a) => ExpandTabs(r, (StringValue)a[0]!, StringMethods.Integer(a[1], 8))),
    ];

    /// <summary>A text in the middle of a width; an odd blank goes to the left of a text of odd width.</summary>
    public static StringValue Center(Rendering rendering, StringValue text, int width, Value? fill)
    {
        var missing = Math.Max(width - (long)text.Length!.Value, 0);
        var left = (missing / 2) + (missing & width & 1);
        return Pad(rendering, text, left, missing - left, fill);
    }

    private static long Missing(Value?[] arguments) =>
        Math.Max(StringMethods.Integer(arguments[1], 0) - (long)arguments[0]!.Length!.Value, 0);

    private static StringValue Pad(Rendering rendering, StringValue text, long left, long right, Value? fill)
    {
        var filler = fill is null ? " " : StringMethods.Text(fill, "ljust");
        if ((fill?.Length ?? 1) != 1)
            throw Errors.Type("The fill character must be exactly one character long");
        if (left + right == 0)
            return text;
        rendering.Budget.TakeText((left + right) * filler.Length);
        rendering.Budget.Scan((int)(left + right));
        var sink = new TextSink(rendering.Budget);
        Repeat(sink, filler, (int)left);
        sink.Append(text.Text);
        Repeat(sink, filler, (int)right);
        return text.With(sink.Take());
    }

    private static void Repeat(TextSink sink, string text, int count)
    {
        if (text.Length == 1)
        {
            sink.Append(text[0], count);
            return;
        }
        for (var i = 0; i < count; i++)
            sink.Append(text);
    }

    private static StringValue Zeros(Rendering rendering, StringValue text, long missing)
    {
        var signed = text.Text.Length > 0 && text.Text[0] is '+' or '-';
        rendering.Budget.TakeText(missing);
        var sink = new TextSink(rendering.Budget);
        if (signed)
            sink.Append(text.Text[0]);
        sink.Append('0', (int)missing);
        sink.Append(text.Text.AsSpan(signed ? 1 : 0));
        return text.With(sink.Take());
    }

    private static StringValue ExpandTabs(Rendering rendering, StringValue text, int size)
    {
        var sink = new TextSink(rendering.Budget);
        var column = 0;
        foreach (var unit in text.Text)
        {
            if (unit != '\t')
            {
                sink.Append(unit);
                column = unit is '\n' or '\r' ? 0 : column + (char.IsLowSurrogate(unit) ? 0 : 1);
                continue;
            }
            var width = size <= 0 ? 0 : size - (column % size);
            rendering.Budget.TakeText(width);
            sink.Append(' ', width);
            column += width;
        }
        return text.With(sink.Take());
    }
}
