using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.PreTokenizers;

/// <summary>Cuts off the blanks at the end of a piece: <c>\s+$</c>.</summary>
internal sealed class TrailingBlankSplitter : Splitter
{
    public override void Split(ReadOnlySpan<byte> text, int start, int end, CutList cuts)
    {
        var at = end;
        while (at > start && (CodePoints.Classify(CodePoints.DecodeBefore(text, at, out var before)) & CharClass.White) != 0)
            at = before;
        if (at > start)
            cuts.Add(at);
        if (end > at)
            cuts.Add(end);
    }
}
