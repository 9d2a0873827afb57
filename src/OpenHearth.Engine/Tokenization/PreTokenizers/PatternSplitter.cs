using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.PreTokenizers;

/// <summary>Cuts out what a pattern matches; what lies between two matches is a piece too.</summary>
internal abstract class PatternSplitter : Splitter
{
    /// <summary>What becomes of the matches.</summary>
    public SplitBehavior Behavior { get; init; }

    /// <summary>What lies between the matches counts as match.</summary>
    public bool Inverts { get; init; }

    public sealed override void Split(ReadOnlySpan<byte> text, int start, int end, CutList cuts)
    {
        text = text[..end];
        if (Behavior != SplitBehavior.Isolated)
        {
            var parts = new List<(int End, bool IsMatch)>();
            Cut(text, start, new PartSink(parts, Inverts));
            Arrange(parts, Behavior, cuts);
            return;
        }
        Cut(text, start, new CutSink(cuts));
    }

    /// <summary>Bytes that the pattern matches at the start of a text that is not empty, or 0 (found out in constant time).</summary>
    protected abstract int Match(ReadOnlySpan<byte> text);

    /// <summary>The first place from <paramref name="at"/> on where the pattern may match.</summary>
    protected virtual int Skip(ReadOnlySpan<byte> text, int at) => at;

    private void Cut<TSink>(ReadOnlySpan<byte> text, int start, TSink sink) where TSink : struct, ISink
    {
        var gap = start;
        for (var at = start; at < text.Length;)
        {
            var length = Match(text[at..]);
            if (length == 0)
            {
                at = Skip(text, at + CodePoints.LengthFrom(text[at]));
                continue;
            }
            if (at > gap)
                sink.Add(at, isMatch: false);
            at += length;
            sink.Add(at, isMatch: true);
            gap = at;
        }
        if (text.Length > gap)
            sink.Add(text.Length, isMatch: false);
    }

    /// <summary>Appends the pieces that a behavior makes of matches and what lies between them.</summary>
    public static void Arrange(List<(int End, bool IsMatch)> parts, SplitBehavior behavior, CutList cuts)
    {
        for (var i = 0; i < parts.Count; i++)
        {
            var (end, isMatch) = parts[i];
            var next = i + 1 < parts.Count ? parts[i + 1].IsMatch : (bool?)null;
            var joinsNext = behavior switch
            {
                SplitBehavior.Contiguous => next == isMatch,
                SplitBehavior.MergedWithPrevious => !isMatch && next == true,
                SplitBehavior.MergedWithNext => isMatch && next == false,
                _ => false,
            };
            if (joinsNext)
                continue;
            if (behavior == SplitBehavior.Removed && isMatch)
                cuts.Drop(end);
            else
                cuts.Add(end);
        }
    }

    private interface ISink
    {
        void Add(int end, bool isMatch);
    }

    private readonly struct CutSink(CutList cuts) : ISink
    {
        public void Add(int end, bool isMatch) => cuts.Add(end);
    }

    private readonly struct PartSink(List<(int End, bool IsMatch)> parts, bool inverts) : ISink
    {
        public void Add(int end, bool isMatch) => parts.Add((end, isMatch != inverts));
    }
}
