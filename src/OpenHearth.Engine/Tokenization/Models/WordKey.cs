using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace OpenHearth.Engine.Tokenization.Models;

/// <summary>A word of up to 32 bytes as four numbers, zeros behind it, and its length.</summary>
internal readonly struct WordKey : IEquatable<WordKey>
{
    private readonly ulong _a, _b, _c, _d;
    private readonly int _length;

    /// <summary>A word; <paramref name="bytes"/> must go on for 8 bytes behind it.</summary>
    public WordKey(byte[] bytes, int start, int length)
    {
        _length = length;
        _a = Read(bytes, start, length);
        if (length <= 8)
            return;
        _b = Read(bytes, start + 8, length - 8);
        if (length <= 16)
            return;
        _c = Read(bytes, start + 16, length - 16);
        if (length > 24)
            _d = Read(bytes, start + 24, length - 24);
    }

    public bool Equals(WordKey other) =>
        _a == other._a && _b == other._b && _length == other._length && _c == other._c && _d == other._d;

    public override bool Equals(object? obj) => obj is WordKey other && Equals(other);

    public override int GetHashCode()
    {
        var hash = (_a ^ (ulong)_length) * 0x9E3779B97F4A7C15;
        if (_length > 8)
        {
            hash = (hash ^ hash >> 29 ^ _b) * 0xBF58476D1CE4E5B9;
            hash = (hash ^ hash >> 32 ^ _c) * 0x94D049BB133111EB;
            hash = (hash ^ hash >> 29 ^ _d) * 0xFF51AFD7ED558CCD;
        }
        return (int)(hash >> 32);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Read(byte[] bytes, int start, int length)
    {
        var value = MemoryMarshal.Read<ulong>(new ReadOnlySpan<byte>(bytes, start, 8));
        return length >= 8 ? value : value & (1UL << length * 8) - 1;
    }
}
