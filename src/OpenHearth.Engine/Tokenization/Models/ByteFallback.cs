using System.Globalization;
using System.Text;

namespace OpenHearth.Engine.Tokenization.Models;

/// <summary>What a character without a piece becomes: its bytes as <c>&lt;0x00&gt;</c> tokens, else the unknown token. Thread-safe.</summary>
internal sealed class ByteFallback
{
    private readonly int[]? _bytes;
    private readonly int _unknown;

    private readonly bool _fuses;

    private ByteFallback(int[]? bytes, int unknown, bool fuses) => (_bytes, _unknown, _fuses) = (bytes, unknown, fuses);

    /// <summary>
    /// Byte tokens where a vocabulary has all 256; <paramref name="unknown"/> may be -1: then the text is left out.
    /// <paramref name="fuses"/>: unknown characters in a row are one token.
    /// </summary>
    public static ByteFallback Of(Vocabulary vocabulary, int unknown, bool useBytes = true, bool fuses = true, bool keepsRuns = false)
    {
        if (!useBytes)
            return new ByteFallback(null, unknown, fuses);
        var bytes = new int[256];
        for (var value = 0; value < 256; value++)
        {
            bytes[value] = vocabulary.Find(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"<0x{value:X2}>")));
            if (bytes[value] < 0)
                return new ByteFallback(null, unknown, fuses);
        }
        return new ByteFallback(bytes, unknown, fuses) { KeepsRuns = keepsRuns };
    }

    /// <summary>The byte that a piece such as <c>&lt;0x0A&gt;</c> stands for, or -1.</summary>
    public static int Byte(ReadOnlySpan<byte> piece) =>
        piece.Length == 6 && piece.StartsWith("<0x"u8) && piece[5] == '>'
        && byte.TryParse(piece[3..5], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) ? value : -1;

    /// <summary>True where the byte tokens of a run of unknown characters each cover the run, as Hugging Face's unigram has it.</summary>
    public bool KeepsRuns { get; private init; }

    /// <summary>Appends the tokens of a character, or of a run of them.</summary>
    public void Append(ReadOnlySpan<byte> character, TokenBuffer into)
    {
        if (_bytes is not null && KeepsRuns)
        {
            for (var i = 0; i < character.Length; i++)
                into.Add(new Token(_bytes[character[i]], i + 1 < character.Length ? ~character.Length : character.Length));
        }
        else if (_bytes is not null)
        {
            foreach (var value in character)
                into.Add(new Token(_bytes[value], 1));
        }
        else if (_fuses && _unknown >= 0 && into.Count > 0 && into[^1].Id == _unknown)
            into[^1] = new Token(_unknown, into[^1].Length + character.Length);
        else if (_unknown >= 0)
            into.Add(new Token(_unknown, character.Length));
    }
}
