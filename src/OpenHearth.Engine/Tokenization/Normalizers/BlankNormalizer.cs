using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.Normalizers;

/// <summary>Writes blanks as U+2581 and puts one in front, as SentencePiece does for Llama-like vocabularies.</summary>
/// <param name="prefix">Put one in front of text that is not empty.</param>
internal sealed class BlankNormalizer(bool prefix) : TextNormalizer
{
    public override void Apply(TextBuffer from, TextBuffer into, bool isFirst)
    {
        var text = from.Span;
        if (prefix && text.Length > 0)
            into.Append(CodePoints.Blank, from, 0, CodePoints.LengthFrom(text[0]));
        for (var at = 0; at < text.Length;)
        {
            var run = text[at..].IndexOf((byte)' ');
            if (run < 0)
                run = text.Length - at;
            into.Append(from, at, at + run);
            at += run;
            if (at < text.Length)
                into.Append(CodePoints.Blank, from, at, ++at);
        }
    }
}
