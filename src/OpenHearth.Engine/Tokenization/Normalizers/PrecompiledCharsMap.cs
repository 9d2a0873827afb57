using System.Buffers.Binary;
using OpenHearth.Engine.Files;

namespace OpenHearth.Engine.Tokenization.Normalizers;

/// <summary>
/// SentencePiece's table of replacements: a double-array trie (Darts) whose values point at texts that end with a zero.
/// Hostile data gives a miss, never a read outside. Immutable, thread-safe.
/// </summary>
internal sealed class PrecompiledCharsMap
{
    private readonly uint[] _units;
    private readonly byte[] _texts;

    /// <param name="blob">Size of the trie in bytes, the trie, the texts; little-endian.</param>
    /// <exception cref="ModelFormatException">The sizes don't fit.</exception>
    public PrecompiledCharsMap(ReadOnlySpan<byte> blob)
    {
        var size = blob.Length < 4 ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(blob);
        if (size == 0 || size % 4 != 0 || size > blob.Length - 4)
            throw new ModelFormatException($"precompiled_charsmap has {blob.Length} bytes, of which its first field claims {size} for the trie.");
        _units = new uint[size / 4];
        for (var i = 0; i < _units.Length; i++)
            _units[i] = BinaryPrimitives.ReadUInt32LittleEndian(blob[(4 + i * 4)..]);
        _texts = blob[(4 + (int)size)..].ToArray();
    }

    /// <summary>Bytes of the longest entry that the text starts with, and what replaces them; 0 where there is none.</summary>
    public int Longest(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> replacement)
    {
        var (found, value) = (0, 0u);
        var at = Offset(_units[0]);
        for (var i = 0; i < text.Length; i++)
        {
            at ^= text[i];
            if (at >= _units.Length || (_units[at] & 0x800000FF) != text[i])
                break;
            var unit = _units[at];
            at ^= Offset(unit);
            if ((unit >> 8 & 1) != 0 && at < _units.Length)
                (found, value) = (i + 1, _units[at] & 0x7FFFFFFF);
        }
        replacement = found > 0 ? Text(value) : [];
        return found;
    }

    private static uint Offset(uint unit) => unit >> 10 << (int)((unit & 0x200) >> 6);

    private ReadOnlySpan<byte> Text(uint at)
    {
        if (at >= _texts.Length)
            return [];
        var text = _texts.AsSpan((int)at);
        var end = text.IndexOf((byte)0);
        return end < 0 ? text : text[..end];
    }
}
