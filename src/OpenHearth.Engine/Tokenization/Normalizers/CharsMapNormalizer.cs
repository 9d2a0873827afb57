using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.Normalizers;

/// <summary>The replacements of a SentencePiece table alone, by longest prefix as SentencePiece does it.</summary>
/// <remarks>
/// Hugging Face's tokenizers look short clusters (a character with its marks, under six bytes) up as a whole, and place
/// each character of the replacement at the one that it stands in for, those beyond at the last; of longer clusters each
/// character is looked up alone. The offsets here are theirs.
/// </remarks>
internal sealed class CharsMapNormalizer(PrecompiledCharsMap map) : TextNormalizer
{
    private const int ShortCluster = 6;

    public override void Apply(TextBuffer from, TextBuffer into, bool isFirst)
    {
        var text = from.Span;
        for (var at = 0; at < text.Length;)
        {
            var first = at + CodePoints.LengthFrom(text[at]);
            var length = map.Longest(text[at..], out var replacement);
            if (length == 0)
            {
                into.Append(from, at, first);
                at = first;
                continue;
            }
            var end = at + length;
            var cluster = ClusterEnd(text, at);
            var place = (at, first);
            if (cluster - at >= ShortCluster && end > first && replacement.Length > 0)
            {
                // Composed here, looked up one by one there: its first byte is placed at the first character.
                into.Append(replacement[..1], from, at, first);
                into.Append(replacement[1..], from, at, end);
            }
            else
                place = Place(from, at, cluster - at < ShortCluster ? cluster : end, replacement, into);
            // What a short cluster has beyond its entry is dropped there; here it stays, without a place of its own.
            for (var isShort = cluster - at < ShortCluster; isShort && end < cluster; end += length)
            {
                length = Next(text[end..], out replacement);
                into.Append(replacement, from, place.at, place.first);
            }
            at = end;
        }
    }

    private int Next(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> replacement)
    {
        var length = map.Longest(text, out replacement);
        if (length > 0)
            return length;
        length = Math.Min(CodePoints.LengthFrom(text[0]), text.Length);
        replacement = text[..length];
        return length;
    }

    private static (int Start, int End) Place(TextBuffer from, int start, int end, ReadOnlySpan<byte> replacement, TextBuffer into)
    {
        var at = start;
        var next = start + CodePoints.LengthFrom(from.Span[start]);
        var last = (at, next);
        while (replacement.Length > 0)
        {
            var length = Math.Min(CodePoints.LengthFrom(replacement[0]), replacement.Length);
            into.Append(replacement[..length], from, at, next);
            last = (at, next);
            replacement = replacement[length..];
            if (next < end)
                (at, next) = (next, next + CodePoints.LengthFrom(from.Span[next]));
        }
        return last;
    }

    private static int ClusterEnd(ReadOnlySpan<byte> text, int at)
    {
        var end = at + CodePoints.LengthFrom(text[at]);
        while (end < text.Length && CodePoints.Decode(text, end, out var length) is var next && Extends(next))
            end += length;
        return end;
    }

    // Marks, joiners, the vowels and finals of Hangul, half-width sound marks.
    private static bool Extends(int codePoint) => codePoint >= 0x300
        && ((CodePoints.Classify(codePoint) & CharClass.Mark) != 0 || codePoint is >= 0x1160 and <= 0x11FF or 0x200C or 0x200D or 0xFF9E or 0xFF9F);
}
