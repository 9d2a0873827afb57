namespace OpenHearth.Engine.Tokenization.Models;

/// <summary>
/// Tokens of words of up to 32 bytes that were met before: a table of fixed size with two places for each word, of which
/// a new word takes the first and drives the old one to the second. Entries are immutable and are read and replaced with
/// one reference each, so that no lock is needed.
/// </summary>
internal sealed class WordCache
{
    /// <summary>Bytes of the longest word kept.</summary>
    public const int MaxWordLength = 32;

    private const int Size = 1 << 16;

    private readonly Word?[] _words = new Word?[Size];

    /// <summary>The tokens of a word, or null.</summary>
    public Token[]? Find(in WordKey key)
    {
        var slot = key.GetHashCode() & Size - 1;
        if (_words[slot] is { } first && first.Key.Equals(key))
            return first.Tokens;
        return _words[slot ^ 1] is { } second && second.Key.Equals(key) ? second.Tokens : null;
    }

    /// <summary>Keeps the tokens of a word.</summary>
    public void Add(in WordKey key, Token[] tokens)
    {
        var slot = key.GetHashCode() & Size - 1;
        _words[slot ^ 1] = _words[slot];
        _words[slot] = new Word(key, tokens);
    }

    private sealed class Word(WordKey key, Token[] tokens)
    {
        public readonly WordKey Key = key;
        public readonly Token[] Tokens = tokens;
    }
}
