using System.Globalization;
using System.Text;

namespace OpenHearth.Engine.Tokenization.Models;

/// <summary>What a character without a piece becomes: its bytes as <c>&lt;0x00&gt;</c> tokens, else the unknown token. Thread-safe.</summary>
internal sealed class ByteFallback
{
    private readonly int[]? _bytes;
    private readonly int _unknown;

    private ByteFallback(int[]? bytes, int unknown) => (_bytes, _unknown) = (bytes, unknown);

    /// <summary>Byte tokens where a vocabulary has all 256; <paramref name="unknown"/> may be -1: then the text is left out.</summary>
    public static ByteFallback Of(Vocabulary vocabulary, int unknown, bool useBytes = true)
    {
        if (!useBytes)
            return new ByteFallback(null, unknown);
        var bytes = new int[256];
        for (var value = 0; value < 256; value++)
        {
            bytes[value] = vocabulary.Find(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"<0x{value:X2}>")));
            if (bytes[value] < 0)
                return new ByteFallback(null, unknown);
        }
        return new ByteFallback(bytes, unknown);
    }

    /// <summary>The byte that a piece such as <c>&lt;0x0A&gt;</c> stands for, or -1.</summary>
    public static int Byte(ReadOnlySpan<byte> piece) =>
        piece.Length == 6 && piece.StartsWith("<0x"u8) && piece[5] == '>'
        && byte.TryParse(piece[3..5], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) ? value : -1;

    /// <summary>Appends the tokens of a character; unknown ones in a row are one token.</summary>
    public void Append(ReadOnlySpan<byte> character, List<Token> into)
    {
        if (_bytes is not null)
        {
            foreach (var value in character)
                into.Add(new Token(_bytes[value], 1));
        }
        else if (into.Count > 0 && into[^1].Id == _unknown)
            into[^1] = new Token(_unknown, into[^1].Length + character.Length);
        else if (_unknown >= 0)
            into.Add(new Token(_unknown, character.Length));
    }
}
