using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.PreTokenizers;

/// <summary>Rewrites each piece of a text that is cut already. Immutable, thread-safe.</summary>
/// <param name="replacement">What stands for a blank, or empty: blanks stay.</param>
/// <param name="prefix">What is put in front of a piece that doesn't start with a blank.</param>
/// <param name="orPrefix">Nor with the prefix itself.</param>
/// <param name="onlyFirst">It is put in front of the piece that starts the input alone.</param>
internal sealed class PieceRewriter(byte[] replacement, byte[] prefix, bool orPrefix, bool onlyFirst)
{
    /// <summary>Appends the rewritten piece.</summary>
    public void Apply(TextBuffer from, int start, int end, TextBuffer into)
    {
        var text = from.Span[start..end];
        if (prefix.Length > 0 && text[0] != ' ' && !(orPrefix && text.StartsWith(prefix)) && (!onlyFirst || from.StartOf(start) == 0))
            into.Append(prefix, from, start, start + 1);
        if (replacement.Length == 0)
        {
            into.Append(from, start, end);
            return;
        }
        for (var at = start; at < end;)
        {
            var run = from.Span[at..end].IndexOf((byte)' ');
            if (run < 0)
                run = end - at;
            into.Append(from, at, at + run);
            at += run;
            if (at < end)
                into.Append(replacement, from, at, ++at);
        }
    }
}
