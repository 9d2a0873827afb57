using System.Text;

namespace OpenHearth.Engine.Templates.Text;

/// <summary>Code points of UTF-16 text; an unpaired surrogate counts as one.</summary>
internal static class CodePoints
{
    public static int Count(ReadOnlySpan<char> text)
    {
        var count = text.Length;
        for (var at = NextPair(text, 0); at >= 0; at = NextPair(text, at + 2))
            count--;
        return count;
    }

    /// <summary>UTF-16 units of the code point at an offset.</summary>
    public static int WidthAt(ReadOnlySpan<char> text, int offset) =>
        char.IsHighSurrogate(text[offset]) && offset + 1 < text.Length && char.IsLowSurrogate(text[offset + 1]) ? 2 : 1;

    /// <summary>The offset of the code point of an index.</summary>
    public static int OffsetOf(ReadOnlySpan<char> text, int index)
    {
        var offset = 0;
        for (; index > 0; index--)
            offset += WidthAt(text, offset);
        return offset;
    }

    /// <summary>The index of the code point at an offset.</summary>
    public static int IndexOf(ReadOnlySpan<char> text, int offset) => Count(text[..offset]);

    /// <summary>The offsets of all code points.</summary>
    public static int[] Offsets(ReadOnlySpan<char> text)
    {
        var offsets = new int[Count(text)];
        for (int i = 0, at = 0; i < offsets.Length; i++)
        {
            offsets[i] = at;
            at += WidthAt(text, at);
        }
        return offsets;
    }

    public static string Substring(string text, int index, int count)
    {
        var start = OffsetOf(text, index);
        return text.Substring(start, OffsetOf(text.AsSpan(start), count));
    }

    /// <summary>Compares by code point, which differs from UTF-16 where surrogates meet U+E000 and above.</summary>
    public static int Compare(string a, string b)
    {
        var shared = a.AsSpan().CommonPrefixLength(b);
        if (shared == a.Length || shared == b.Length)
            return a.Length.CompareTo(b.Length);
        var (left, right) = (a[shared], b[shared]);
        return char.IsSurrogate(left) != char.IsSurrogate(right) && left >= 0xD800 && right >= 0xD800
            ? char.IsSurrogate(left) ? 1 : -1
            : left.CompareTo(right);
    }

    /// <summary>The code point at an offset; an unpaired surrogate gives U+FFFD.</summary>
    public static Rune RuneAt(ReadOnlySpan<char> text, int offset)
    {
        _ = Rune.DecodeFromUtf16(text[offset..], out var rune, out _);
        return rune;
    }

    /// <summary>What Python calls white space.</summary>
    public static bool IsSpace(char unit) => char.IsWhiteSpace(unit) || unit is >= '\x1c' and <= '\x1f';

    private static int NextPair(ReadOnlySpan<char> text, int from)
    {
        while (from < text.Length)
        {
            var high = text[from..].IndexOfAnyInRange('\uD800', '\uDBFF');
            if (high < 0)
                return -1;
            from += high;
            if (from + 1 < text.Length && char.IsLowSurrogate(text[from + 1]))
                return from;
            from++;
        }
        return -1;
    }
}
