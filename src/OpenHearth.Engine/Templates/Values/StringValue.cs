using OpenHearth.Engine.Templates.Methods;
using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Text;

namespace OpenHearth.Engine.Templates.Values;

/// <summary>A text. Lengths, indices and elements are code points, as in Python, though it is stored in UTF-16.</summary>
internal sealed class StringValue : Value
{
    public static readonly StringValue Empty = new("", false);

    private static readonly StringValue?[] Ascii = new StringValue?[128];
    private int _length = -1;

    private StringValue(string text, bool isMarkup)
    {
        Text = text;
        IsMarkup = isMarkup;
    }

    public string Text { get; }

    /// <summary>True for text that counts as escaped HTML (<c>safe</c>, <c>escape</c>); what is added to it gets escaped.</summary>
    public bool IsMarkup { get; }

    public override string TypeName => IsMarkup ? "Markup" : "str";

    public override string Description => IsMarkup ? "markupsafe.Markup object" : "str object";

    public override int? Length => _length >= 0 ? _length : _length = CodePoints.Count(Text);

    public override bool IsTrue => Text.Length > 0;

    /// <summary>True where every code point is one UTF-16 unit.</summary>
    public bool IsFlat => Length == Text.Length;

    public static StringValue Of(string text, bool isMarkup = false) =>
        text.Length == 0 && !isMarkup ? Empty : new(text, isMarkup);

    public static StringValue Of(ReadOnlySpan<char> codePoint)
    {
        if (codePoint.Length == 1 && codePoint[0] < 128)
            return Ascii[codePoint[0]] ??= new(codePoint.ToString(), false);
        return new(codePoint.ToString(), false);
    }

    public StringValue With(string text) => Of(text, IsMarkup);

    public override void WriteRepr(TextSink sink)
    {
        if (IsMarkup)
            sink.Append("Markup(");
        PythonString.WriteRepr(Text, sink);
        if (IsMarkup)
            sink.Append(')');
    }

    public override void WriteText(TextSink sink) => sink.Append(Text);

    public override IEnumerator<Value> Iterate()
    {
        for (var i = 0; i < Text.Length;)
        {
            var width = CodePoints.WidthAt(Text, i);
            yield return Of(Text.AsSpan(i, width));
            i += width;
        }
    }

    public override Value? Attribute(Rendering rendering, string name) => StringMethods.Find(this, name);

    public override Value? Item(Rendering rendering, Value key)
    {
        if (!Sequence.TryIndex(key, Length!.Value, out var index))
            return null;
        if (!IsFlat)
            rendering.Budget.Scan(Text.Length);
        var start = IsFlat ? index : CodePoints.OffsetOf(Text, index);
        var item = Of(Text.AsSpan(start, CodePoints.WidthAt(Text, start)));
        return IsMarkup ? Of(item.Text, true) : item;
    }
}
