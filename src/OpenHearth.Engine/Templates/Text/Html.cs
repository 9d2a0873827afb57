using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Text;

/// <summary>Escaping for HTML, which <c>escape</c> and <c>autoescape</c> ask for.</summary>
internal static class Html
{
    /// <summary>The value as markup; markup stays as it is.</summary>
    public static StringValue Escape(Rendering rendering, Value value)
    {
        if (value is StringValue { IsMarkup: true } markup)
            return markup;
        return EscapeText(rendering, rendering.Text(value));
    }

    /// <summary>A text as markup, whatever it is.</summary>
    public static StringValue EscapeText(Rendering rendering, string text)
    {
        rendering.Budget.Scan(text.Length);
        if (text.AsSpan().IndexOfAny("&<>'\"") < 0)
            return StringValue.Of(text, true);
        var sink = new TextSink(rendering.Budget);
        foreach (var unit in text)
        {
            switch (unit)
            {
                case '&': sink.Append("&amp;"); break;
                case '<': sink.Append("&lt;"); break;
                case '>': sink.Append("&gt;"); break;
                case '\'': sink.Append("&#39;"); break;
                case '"': sink.Append("&#34;"); break;
                default: sink.Append(unit); break;
            }
        }
        return StringValue.Of(sink.Take(), true);
    }
}
