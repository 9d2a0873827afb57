using System.Buffers;
using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.PreTokenizers;

/// <summary>Cuts out runs of characters of a set.</summary>
/// <param name="set">The characters.</param>
/// <param name="prefix">Characters of which one may stand before a run, or null.</param>
/// <param name="least">A run is at least so long.</param>
/// <param name="most">A run is at most so long.</param>
internal sealed class RunSplitter(CodePointSet set, CodePointSet? prefix = null, int least = 1, int most = int.MaxValue) : PatternSplitter
{
    private readonly SearchValues<byte> _first = FirstBytes(set, prefix);

    protected override int Skip(ReadOnlySpan<byte> text, int at)
    {
        var next = text[at..].IndexOfAny(_first);
        return next < 0 ? text.Length : at + next;
    }

    protected override int Match(ReadOnlySpan<byte> text)
    {
        if (prefix is not null && prefix.Contains(CodePoints.Decode(text, 0, out var start)) && Run(text, start) is var end and > 0)
            return end;
        return Run(text, 0);
    }

    private static SearchValues<byte> FirstBytes(CodePointSet set, CodePointSet? prefix)
    {
        var bytes = new List<byte>();
        for (var value = 0; value < 256; value++)
        {
            if (value >= 0xC2 || value < 0x80 && (set.Contains(value) || prefix is not null && prefix.Contains(value)))
                bytes.Add((byte)value);
        }
        return SearchValues.Create(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes));
    }

    private int Run(ReadOnlySpan<byte> text, int at)
    {
        var count = 0;
        for (; at < text.Length && count < most && set.Contains(CodePoints.Decode(text, at, out var length)); count++)
            at += length;
        return count >= least ? at : 0;
    }
}
