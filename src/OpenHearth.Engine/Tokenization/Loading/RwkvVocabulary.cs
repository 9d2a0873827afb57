using System.Globalization;
using System.Text;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Tokenization.Models;

namespace OpenHearth.Engine.Tokenization.Loading;

/// <summary>
/// Builds RWKV's tokenizer from its vocabulary file: lines of id, Python literal (text or bytes), length in bytes.
/// Id 0 ends a text and has no line.
/// </summary>
internal static class RwkvVocabulary
{
    /// <summary>True where bytes look like such a file: a number, a blank, a quotation mark.</summary>
    public static bool Looks(ReadOnlySpan<byte> bytes)
    {
        var blank = bytes.IndexOf((byte)' ');
        return blank is > 0 and < 8 && bytes.Length > blank + 1 && bytes[..blank].IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0
            && bytes[blank + 1] is (byte)'\'' or (byte)'"' or (byte)'b';
    }

    /// <summary>Builds it.</summary>
    /// <exception cref="ModelFormatException">A line is damaged or out of order.</exception>
    public static Tokenizer Load(ReadOnlySpan<byte> bytes)
    {
        var tokens = new VocabularyBuilder(65536);
        tokens.Add([], TokenKind.Control);
        var line = 0;
        foreach (var range in bytes.Split((byte)'\n'))
        {
            line++;
            var text = bytes[range].TrimEnd((byte)'\r');
            if (text.Length > 0)
                tokens.Add(Parse(text, line, tokens.Count), TokenKind.Normal);
        }
        return Build(tokens.Build(), []);
    }

    /// <summary>The tokenizer of a vocabulary that is written as bytes; nothing is put around a text.</summary>
    public static Tokenizer Build(Vocabulary vocabulary, AddedToken[] added)
    {
        var trie = new ByteTrie();
        var decoder = new TokenDecoderBuilder(vocabulary.Count);
        for (var id = 0; id < vocabulary.Count; id++)
        {
            if (vocabulary.Kind(id) == TokenKind.Normal)
                trie.Add(vocabulary.Piece(id), id);
            decoder.Add(vocabulary.Piece(id));
        }
        var special = new SpecialTokens { Bos = 0, Eos = 0, EndOfGeneration = [0] };
        var pipeline = new TokenizerPipeline(new GreedyTrie(trie, -1), [], added);
        return new Tokenizer(vocabulary, pipeline, decoder.Build(BlankStripping.None), special);
    }

    /// <summary>The bytes of a Python literal without its quotation marks.</summary>
    /// <exception cref="ModelFormatException">An escape is not known.</exception>
    public static byte[] Unescape(ReadOnlySpan<byte> literal, bool isBytes)
    {
        var into = new List<byte>(literal.Length);
        Span<byte> character = stackalloc byte[4];
        for (var at = 0; at < literal.Length;)
        {
            if (literal[at] != '\\' || at + 1 == literal.Length)
            {
                into.Add(literal[at++]);
                continue;
            }
            var kind = literal[at + 1];
            var digits = kind switch { (byte)'x' => 2, (byte)'u' => 4, (byte)'U' => 8, _ => 0 };
            at += 2;
            if (digits == 0)
            {
                into.Add(kind switch { (byte)'n' => (byte)'\n', (byte)'r' => (byte)'\r', (byte)'t' => (byte)'\t', _ => kind });
                continue;
            }
            if (at + digits > literal.Length
                || !int.TryParse(literal.Slice(at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
                || !isBytes && !Rune.IsValid(value))
            {
                throw new ModelFormatException($"RWKV vocabulary: '{Vocabulary.Shown(literal)}' has a bad escape.");
            }
            at += digits;
            if (isBytes)
                into.Add((byte)value);
            else
                into.AddRange(character[..Text.CodePoints.Encode(value, character)]);
        }
        return [.. into];
    }

    private static byte[] Parse(ReadOnlySpan<byte> line, int number, int id)
    {
        var (first, last) = (line.IndexOf((byte)' '), line.LastIndexOf((byte)' '));
        if (first <= 0 || last - first < 3
            || !int.TryParse(line[..first], NumberStyles.None, CultureInfo.InvariantCulture, out var given)
            || !int.TryParse(line[(last + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var length))
        {
            throw new ModelFormatException($"RWKV vocabulary: line {number} is not an id, a literal and a length.");
        }
        if (given != id)
            throw new ModelFormatException($"RWKV vocabulary: line {number} has id {given}, expected {id}.");
        var literal = line[(first + 1)..last];
        var isBytes = literal[0] == 'b';
        if (isBytes)
            literal = literal[1..];
        if (literal.Length < 2 || literal[0] is not ((byte)'\'' or (byte)'"') || literal[^1] != literal[0])
            throw new ModelFormatException($"RWKV vocabulary: the literal in line {number} has no quotation marks.");
        var bytes = Unescape(literal[1..^1], isBytes);
        return bytes.Length == length && length > 0
            ? bytes
            : throw new ModelFormatException($"RWKV vocabulary: the token in line {number} has {bytes.Length} bytes, its length says {length}.");
    }
}
