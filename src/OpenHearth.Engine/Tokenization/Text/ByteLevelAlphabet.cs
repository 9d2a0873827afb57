namespace OpenHearth.Engine.Tokenization.Text;

/// <summary>
/// The printable characters by which GPT-2's vocabulary writes bytes: printable Latin-1 stands for itself, every other
/// byte for U+0100 and on, in order.
/// </summary>
internal static class ByteLevelAlphabet
{
    private static readonly char[] OfByte = Build();
    private static readonly short[] ByteOf = Invert(OfByte);

    /// <summary>The character that stands for a byte.</summary>
    public static char Character(byte value) => OfByte[value];

    /// <summary>The byte that a code point stands for, or -1.</summary>
    public static int Byte(int codePoint) => codePoint < ByteOf.Length ? ByteOf[codePoint] : -1;

    /// <summary>Writes bytes in the alphabet, at most two for one; returns the length.</summary>
    public static int Write(ReadOnlySpan<byte> bytes, Span<byte> into)
    {
        var length = 0;
        foreach (var value in bytes)
            length += CodePoints.Encode(OfByte[value], into[length..]);
        return length;
    }

    /// <summary>Reads a piece back to bytes; false where it holds another character or is no UTF-8.</summary>
    public static bool TryRead(ReadOnlySpan<byte> piece, Span<byte> into, out int length)
    {
        length = 0;
        for (var at = 0; at < piece.Length;)
        {
            int codePoint = piece[at++];
            if (codePoint >= 0x80)
            {
                // Every character of the alphabet has one or two bytes.
                if ((codePoint & 0xE0) != 0xC0 || at == piece.Length || !CodePoints.IsContinuation(piece[at]))
                    return false;
                codePoint = (codePoint & 0x1F) << 6 | piece[at++] & 0x3F;
            }
            var value = Byte(codePoint);
            if (value < 0)
                return false;
            into[length++] = (byte)value;
        }
        return true;
    }

    private static char[] Build()
    {
        var characters = new char[256];
        var next = (char)256;
        for (var value = 0; value < 256; value++)
            characters[value] = value is >= 33 and <= 126 or >= 161 and <= 172 or >= 174 ? (char)value : next++;
        return characters;
    }

    private static short[] Invert(char[] characters)
    {
        var bytes = new short[characters.Max() + 1];
        Array.Fill(bytes, (short)-1);
        for (var value = 0; value < 256; value++)
            bytes[characters[value]] = (short)value;
        return bytes;
    }
}
