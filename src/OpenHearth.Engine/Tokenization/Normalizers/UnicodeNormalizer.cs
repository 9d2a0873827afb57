using System.Runtime.InteropServices;
using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.Normalizers;

/// <summary>Unicode's normalization forms NFC, NFD, NFKC and NFKD (UAX #15).</summary>
/// <remarks>
/// Each character carries a change, as Hugging Face's tokenizers count them: 1 for one that was added, -n for one that
/// stands for n more characters of the source. A composed character is placed at the first that it was made of.
/// </remarks>
internal sealed class UnicodeNormalizer(bool composes, bool compatible) : TextNormalizer
{
    public override bool Changes(ReadOnlySpan<byte> text)
    {
        var at = text.IndexOfAnyExceptInRange((byte)0, (byte)127);
        if (at < 0)
            return false;
        if (!composes || compatible)
            return true;
        for (; at < text.Length;)
        {
            var codePoint = CodePoints.Decode(text, at, out var length);
            at += length;
            if (codePoint >= 0x300 && UnicodeNormalizationData.Instance.MayCompose(codePoint))
                return true;
        }
        return false;
    }

    public override void Apply(TextBuffer from, TextBuffer into, bool isFirst)
    {
        var characters = Decompose(from.Span);
        if (composes)
            Compose(characters);
        var at = 0;
        var text = from.Span;
        foreach (var (codePoint, change) in characters)
        {
            if (change > 0)
            {
                var start = at;
                if (at > 0)
                    CodePoints.DecodeBefore(text, at, out start);
                into.Append(codePoint, from, start, at);
                continue;
            }
            var next = Math.Min(at, text.Length);
            if (next < text.Length)
                next += CodePoints.LengthFrom(text[next]);
            into.Append(codePoint, from, at, next);
            at = next;
            for (var skip = change; skip < 0 && at < text.Length; skip++)
                at += CodePoints.LengthFrom(text[at]);
        }
    }

    // In canonical order: within each run of combining characters by class, else as they came.
    private List<(int CodePoint, int Change)> Decompose(ReadOnlySpan<byte> text)
    {
        var data = UnicodeNormalizationData.Instance;
        var characters = new List<(int CodePoint, int Change)>(text.Length);
        Span<int> parts = stackalloc int[18];
        for (var at = 0; at < text.Length;)
        {
            var codePoint = CodePoints.Decode(text, at, out var length);
            at += length;
            if (codePoint < 0x80 || !data.TryDecompose(codePoint, compatible, parts, out var count))
            {
                characters.Add((codePoint, 0));
                continue;
            }
            for (var i = 0; i < count; i++)
                characters.Add((parts[i], i == 0 ? 0 : 1));
        }
        Reorder(CollectionsMarshal.AsSpan(characters), data);
        return characters;
    }

    private static void Reorder(Span<(int CodePoint, int Change)> characters, UnicodeNormalizationData data)
    {
        for (var start = 0; start < characters.Length; start++)
        {
            var end = start;
            var sorted = true;
            for (var last = 0; end < characters.Length && characters[end].CodePoint >= 0x300
                && data.CombiningClass(characters[end].CodePoint) is var order and > 0; end++)
            {
                sorted &= order >= last;
                last = order;
            }
            if (!sorted)
            {
                var keys = new long[end - start];
                for (var i = 0; i < keys.Length; i++)
                    keys[i] = (long)data.CombiningClass(characters[start + i].CodePoint) << 32 | (uint)i;
                keys.AsSpan().Sort(characters[start..end]);
            }
            start = end;
        }
    }

    private static void Compose(List<(int CodePoint, int Change)> characters)
    {
        var data = UnicodeNormalizationData.Instance;
        var all = CollectionsMarshal.AsSpan(characters);
        // starter: where the last character of class 0 was put; between: the class of what stands behind it, -1 for nothing.
        var (kept, starter, between) = (0, -1, -1);
        foreach (var (codePoint, change) in all)
        {
            var order = data.CombiningClass(codePoint);
            if (starter >= 0 && between < order && data.Compose(all[starter].CodePoint, codePoint) is var composed and >= 0)
            {
                all[starter] = (composed, all[starter].Change + change - 1);
                continue;
            }
            if (order == 0)
                (starter, between) = (kept, -1);
            else
                between = order;
            all[kept++] = (codePoint, change);
        }
        CollectionsMarshal.SetCount(characters, kept);
    }
}
