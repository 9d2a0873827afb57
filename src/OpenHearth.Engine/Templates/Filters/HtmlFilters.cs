using System.Buffers;
using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Text;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Filters;

/// <summary>Filters that escape text for HTML, or say that it needs no escaping.</summary>
internal static class HtmlFilters
{
    private static readonly SearchValues<char> Forbidden = SearchValues.Create(" \t\n\f/>=");

    public static readonly Builtin[] All =
    [
        new("safe", static (r, value) => StringValue.Of(r.Text(value), true)),
        new("e", static (r, value) => Html.Escape(r, value)),
        new("escape", static (r, value) => Html.Escape(r, value)),
        new("forceescape", static (r, value) => Html.EscapeText(r, r.Text(value))),
        new("striptags", static (r, value) => StringValue.Of(StripTags(r, r.Text(value)))),
        new("xmlattr", 1, ["d", "autospace"], XmlAttributes),
    ];

    /// <summary>The text without comments and tags, each run of white space as one blank, the common entities resolved.</summary>
    private static string StripTags(Rendering rendering, string text)
    {
        rendering.Budget.Scan(4 * text.Length);
        rendering.Budget.TakeText(4L * text.Length);
        text = Remove(Remove(text, "<!--", "-->"), "<", ">");
        var sink = new TextSink(rendering.Budget);
        for (var at = 0; at < text.Length; at++)
        {
            if (!CodePoints.IsSpace(text[at]))
                sink.Append(text[at]);
            else if (sink.Length > 0 && at + 1 < text.Length && !CodePoints.IsSpace(text[at + 1]))
                sink.Append(' ');
        }
        return sink.Take()
            .Replace("&lt;", "<", StringComparison.Ordinal).Replace("&gt;", ">", StringComparison.Ordinal)
            .Replace("&quot;", "\"", StringComparison.Ordinal).Replace("&#34;", "\"", StringComparison.Ordinal)
            .Replace("&#39;", "'", StringComparison.Ordinal).Replace("&amp;", "&", StringComparison.Ordinal);
    }

    private static string Remove(string text, string open, string close)
    {
        var kept = new System.Text.StringBuilder();
        for (var at = 0; ;)
        {
            var start = text.IndexOf(open, at, StringComparison.Ordinal);
            var end = start < 0 ? -1 : text.IndexOf(close, start + open.Length, StringComparison.Ordinal);
            if (end < 0)
                return kept.Append(text, at, text.Length - at).ToString();
            kept.Append(text, at, start - at);
            at = end + close.Length;
        }
    }

    private static StringValue XmlAttributes(Rendering rendering, Value?[] arguments)
    {
        if (arguments[0] is UndefinedValue undefined)
            throw undefined.Failure();
        if (arguments[0] is not DictValue dict)
            throw Errors.Type($"'{arguments[0]!.TypeName}' object has no attribute 'items'");
        var sink = new TextSink(rendering.Budget);
        foreach (var (key, value) in dict.Items)
        {
            if (value is NoneValue or UndefinedValue)
                continue;
            var name = rendering.Text(key);
            if (name.AsSpan().IndexOfAny(Forbidden) >= 0)
                throw Errors.Value($"Invalid character in attribute name: {rendering.Repr(key)}");
            if (sink.Length > 0 || (arguments[1]?.IsTrue ?? true))
                sink.Append(' ');
            sink.Append(Html.EscapeText(rendering, name).Text);
            sink.Append("=\"");
            sink.Append(Html.Escape(rendering, value).Text);
            sink.Append('"');
        }
        return StringValue.Of(sink.Take(), rendering.Autoescape);
    }
}
