using System.Text;

namespace OpenHearth.Engine.Files.Gguf;

/// <summary>
/// An array of strings that stays in the mapped file as UTF-8; only a table of offsets is made, four bytes an entry.
/// Thread-safe; not to be used after the file is disposed of.
/// </summary>
public sealed class GgufStrings
{
    private readonly GgufBytes _bytes;
    private readonly long _start;

    // Where the length field of each string starts, from _start; one more entry for the end of the last.
    private readonly uint[] _offsets;

    /// <param name="bytes">The file.</param>
    /// <param name="start">Where the first string's length field is; the reader has checked all of them.</param>
    /// <param name="count">Number of strings.</param>
    internal GgufStrings(GgufBytes bytes, long start, int count)
    {
        _bytes = bytes;
        _start = start;
        _offsets = new uint[count + 1];
        var offset = 0L;
        for (var i = 0; i < count; i++)
        {
            offset += 8 + (long)bytes.UInt64(start + offset);
            _offsets[i + 1] = (uint)offset;
        }
    }

    /// <summary>Number of strings.</summary>
    public int Count => _offsets.Length - 1;

    /// <summary>The bytes of a string. They are meant to be UTF-8 but nobody has checked.</summary>
    /// <exception cref="IndexOutOfRangeException"><paramref name="index"/> is not within the array.</exception>
    public ReadOnlySpan<byte> this[int index]
    {
        get
        {
            var start = _offsets[index];
            return _bytes.Span(_start + start + 8, (int)(_offsets[index + 1] - start) - 8);
        }
    }

    /// <summary>A string; bytes that are no UTF-8 become U+FFFD.</summary>
    /// <exception cref="IndexOutOfRangeException"><paramref name="index"/> is not within the array.</exception>
    public string GetString(int index) => Encoding.UTF8.GetString(this[index]);

    /// <summary>All strings, decoded.</summary>
    public string[] ToArray()
    {
        var strings = new string[Count];
        for (var i = 0; i < strings.Length; i++)
            strings[i] = GetString(i);
        return strings;
    }
}
