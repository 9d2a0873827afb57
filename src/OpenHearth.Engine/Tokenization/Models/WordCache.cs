using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

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

    /// <summary>A word as a key; <paramref name="bytes"/> must go on for 32 bytes after <paramref name="start"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Key(byte[] bytes, int start, int length) =>
        Vector256.Create(new ReadOnlySpan<byte>(bytes, start, MaxWordLength))
        & Vector256.LessThan(Vector256<byte>.Indices, Vector256.Create((byte)length));

    /// <summary>The tokens of a word, or null.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Token[]? Find(Vector256<byte> key, int length)
    {
        var slot = Slot(key, length);
        var word = _words[slot];
        if (word is not null && word.Length == length && word.Key == key)
            return word.Tokens;
        word = _words[slot ^ 1];
        return word is not null && word.Length == length && word.Key == key ? word.Tokens : null;
    }

    /// <summary>Keeps the tokens of a word.</summary>
    public void Add(Vector256<byte> key, int length, Token[] tokens)
    {
        var slot = Slot(key, length);
        _words[slot ^ 1] = _words[slot];
        _words[slot] = new Word(key, length, tokens);
    }

    private static int Slot(Vector256<byte> key, int length)
    {
        var parts = key.AsUInt64();
        var hash = (parts[0] ^ (ulong)length) * 0x9E3779B97F4A7C15;
        hash = (hash ^ hash >> 29 ^ parts[1]) * 0xBF58476D1CE4E5B9;
        hash = (hash ^ hash >> 32 ^ parts[2]) * 0x94D049BB133111EB;
        hash = (hash ^ hash >> 29 ^ parts[3]) * 0xFF51AFD7ED558CCD;
        return (int)(hash >> 48);
    }

    private sealed class Word(Vector256<byte> key, int length, Token[] tokens)
    {
        public readonly Vector256<byte> Key = key;
        public readonly int Length = length;
        public readonly Token[] Tokens = tokens;
    }
}
