using System.Text;

namespace OpenHearth.Engine.Tokenization.Text;

/// <summary>
/// UTF-8 text on its way to the model. Where it was rewritten and offsets are wanted it knows, for each of its bytes,
/// the bytes of the original character that it came from. Not thread-safe.
/// </summary>
internal sealed class TextBuffer
{
    /// <summary>Zeros behind the text, so that eight bytes can be read at any position.</summary>
    public const int Slack = 8;

    private byte[] _bytes = new byte[256 + Slack];
    private int[] _starts = [];
    private int[] _ends = [];

    /// <summary>The bytes; those past <see cref="Length"/> are anything.</summary>
    public byte[] Bytes => _bytes;

    /// <summary>Bytes in use.</summary>
    public int Length { get; private set; }

    /// <summary>True where each byte knows its place in the original.</summary>
    public bool IsAligned { get; private set; }

    /// <summary>Where in the original the text ends, where that is not the end of its last character; else -1.</summary>
    public int End { get; set; }

    /// <summary>
    /// True where a token ends where the next begins, as SentencePiece has it: of several tokens of one character all but
    /// the last are empty. False: each of them covers the character.
    /// </summary>
    public bool EndsAtNext { get; set; }

    /// <summary>The text.</summary>
    public ReadOnlySpan<byte> Span => _bytes.AsSpan(0, Length);

    /// <summary>Empties the buffer; <paramref name="aligned"/>: what is appended brings its place.</summary>
    public void Clear(bool aligned)
    {
        Length = 0;
        IsAligned = aligned;
        End = -1;
        EndsAtNext = false;
    }

    /// <summary>Replaces the content by UTF-16 text; an unpaired surrogate becomes U+FFFD.</summary>
    public void Load(ReadOnlySpan<char> text)
    {
        Clear(aligned: false);
        Reserve(Encoding.UTF8.GetByteCount(text));
        Length = Encoding.UTF8.GetBytes(text, _bytes);
    }

    /// <summary>Appends bytes that all came from the original bytes [start, end).</summary>
    public void Append(ReadOnlySpan<byte> bytes, int start, int end)
    {
        Reserve(bytes.Length);
        bytes.CopyTo(_bytes.AsSpan(Length));
        if (IsAligned)
        {
            _starts.AsSpan(Length, bytes.Length).Fill(start);
            _ends.AsSpan(Length, bytes.Length).Fill(end);
        }
        Length += bytes.Length;
    }

    /// <summary>Appends a part of another buffer as it is.</summary>
    public void Append(TextBuffer from, int start, int end)
    {
        var length = end - start;
        Reserve(length);
        from._bytes.AsSpan(start, length).CopyTo(_bytes.AsSpan(Length));
        if (IsAligned)
        {
            for (var i = 0; i < length; i++)
                (_starts[Length + i], _ends[Length + i]) = from.Origin(start + i);
        }
        Length += length;
    }

    /// <summary>Appends a character that replaces [start, end) of another buffer.</summary>
    public void Append(int codePoint, TextBuffer from, int start, int end)
    {
        Span<byte> bytes = stackalloc byte[4];
        Append(bytes[..CodePoints.Encode(codePoint, bytes)], from, start, end);
    }

    /// <summary>Appends bytes that replace [start, end) of another buffer; where that is empty they stand before it.</summary>
    public void Append(ReadOnlySpan<byte> bytes, TextBuffer from, int start, int end)
    {
        if (!IsAligned)
            Append(bytes, 0, 0);
        else
            Append(bytes, from.StartOf(start), end > start ? from.EndOf(end) : from.StartOf(start));
    }

    /// <summary>Shortens the text.</summary>
    public void Truncate(int length) => Length = length;

    /// <summary>Where in the original the text from <paramref name="at"/> on begins.</summary>
    public int StartOf(int at) => at < Length ? Origin(at).Start : Length == 0 ? 0 : Origin(Length - 1).End;

    /// <summary>Where in the original the text before <paramref name="at"/> ends.</summary>
    public int EndOf(int at) => at > 0 ? Origin(at - 1).End : 0;

    /// <summary>The bytes of the original that a token covers.</summary>
    public (int Start, int End) Covered(int start, int end)
    {
        var first = StartOf(start);
        if (!EndsAtNext)
            return (first, Math.Max(EndOf(end), first));
        return (first, end < Length ? StartOf(end) : End >= 0 ? End : EndOf(end));
    }

    /// <summary>Drops arrays that a long text has left behind.</summary>
    public void Trim()
    {
        if (_bytes.Length > 1 << 20)
            (_bytes, _starts, _ends) = (new byte[256 + Slack], [], []);
    }

    private (int Start, int End) Origin(int at)
    {
        if (IsAligned)
            return (_starts[at], _ends[at]);
        var start = at;
        while (start > 0 && CodePoints.IsContinuation(_bytes[start]))
            start--;
        return (start, start + CodePoints.LengthFrom(_bytes[start]));
    }

    private void Reserve(int more)
    {
        var needed = checked(Length + more);
        if (needed + Slack > _bytes.Length)
            Array.Resize(ref _bytes, checked(Math.Max(needed, _bytes.Length * 2) + Slack));
        if (IsAligned && needed > _starts.Length)
        {
            Array.Resize(ref _starts, Math.Max(needed, _starts.Length * 2));
            Array.Resize(ref _ends, _starts.Length);
        }
    }
}
