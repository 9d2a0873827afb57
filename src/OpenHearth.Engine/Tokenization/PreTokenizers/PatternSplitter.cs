using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.PreTokenizers;

/// <summary>Cuts out what a pattern matches; what lies between two matches is a piece too.</summary>
internal abstract class PatternSplitter : Splitter
{
    public sealed override void Split(ReadOnlySpan<byte> text, int start, int end, CutList cuts)
    {
        text = text[..end];
        var gap = start;
        for (var at = start; at < end;)
        {
            var length = Match(text[at..]);
            if (length == 0)
            {
                at += CodePoints.LengthFrom(text[at]);
                continue;
            }
            if (at > gap)
                cuts.Add(at);
            at += length;
            cuts.Add(at);
            gap = at;
        }
        if (end > gap)
            cuts.Add(end);
    }

    /// <summary>Bytes that the pattern matches at the start of a text that is not empty, or 0 (found out in constant time).</summary>
    protected abstract int Match(ReadOnlySpan<byte> text);
}
