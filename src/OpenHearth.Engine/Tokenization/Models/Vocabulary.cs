using System.Runtime.InteropServices;
using OpenHearth.Engine.Files;

namespace OpenHearth.Engine.Tokenization.Models;

/// <summary>
/// The pieces of a tokenizer as they are written in its file, one array of bytes, found by an open-addressing table.
/// Immutable once the loader is done, thread-safe.
/// </summary>
internal sealed class Vocabulary
{
    /// <summary>The most tokens that the packed tables can name; the last id of 21 bits stands for none.</summary>
    public const int MaxCount = (1 << 21) - 1;

    private static readonly ulong Seed = (ulong)Random.Shared.NextInt64() | 1;

    private readonly byte[] _bytes;
    private readonly int[] _ends;
    private readonly TokenKind[] _kinds;
    // The upper half of a piece's hash, and its id plus one.
    private readonly ulong[] _slots;

    /// <summary>Takes over the arrays: piece i is bytes [ends[i - 1], ends[i]).</summary>
    public Vocabulary(byte[] bytes, int[] ends, TokenKind[] kinds)
    {
        (_bytes, _ends, _kinds) = (bytes, ends, kinds);
        _slots = new ulong[Math.Max(16, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)ends.Length * 2))];
        for (var id = 0; id < ends.Length; id++)
        {
            var piece = Piece(id);
            var slot = Slot(piece, out var hash);
            _slots[slot] = hash | (uint)(id + 1);
            MaxPieceLength = Math.Max(MaxPieceLength, piece.Length);
        }
    }

    /// <summary>Number of tokens.</summary>
    public int Count => _ends.Length;

    /// <summary>Bytes of the longest piece.</summary>
    public int MaxPieceLength { get; }

    /// <summary>The piece of a token as the file writes it.</summary>
    public ReadOnlySpan<byte> Piece(int id)
    {
        var start = id == 0 ? 0 : _ends[id - 1];
        return _bytes.AsSpan(start, _ends[id] - start);
    }

    /// <summary>The kind of a token.</summary>
    public TokenKind Kind(int id) => _kinds[id];

    /// <summary>The id of a piece, or -1. Of two equal pieces the later counts.</summary>
    public int Find(ReadOnlySpan<byte> piece) => piece.Length > MaxPieceLength ? -1 : (int)(uint)_slots[Slot(piece, out _)] - 1;

    /// <summary>The id of a piece that has to be there.</summary>
    /// <exception cref="ModelFormatException">It is not.</exception>
    public int Require(ReadOnlySpan<byte> piece, string field)
    {
        var id = Find(piece);
        return id >= 0 ? id : throw new ModelFormatException($"{field} names the token '{Shown(piece)}', which is not in the vocabulary.");
    }

    /// <summary>A piece for a message: short and printable.</summary>
    public static string Shown(ReadOnlySpan<byte> piece)
    {
        var text = System.Text.Encoding.UTF8.GetString(piece.Length > 60 ? piece[..60] : piece);
        return string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));
    }

    private int Slot(ReadOnlySpan<byte> piece, out ulong hash)
    {
        hash = Hash(piece);
        var mask = _slots.Length - 1;
        var slot = (int)(hash >> 32) & mask;
        hash &= 0xFFFFFFFF00000000;
        while (_slots[slot] is var entry && entry != 0 && ((entry ^ hash) >> 32 != 0 || !Piece((int)(uint)entry - 1).SequenceEqual(piece)))
            slot = slot + 1 & mask;
        return slot;
    }

    private static ulong Hash(ReadOnlySpan<byte> piece)
    {
        var hash = Seed ^ (ulong)piece.Length * 0x9E3779B97F4A7C15;
        while (piece.Length > 8)
        {
            hash = Mix(hash ^ MemoryMarshal.Read<ulong>(piece));
            piece = piece[8..];
        }
        // The rest, at most eight bytes, as two words that overlap.
        var rest = piece.Length switch
        {
            0 => 0UL,
            < 4 => (ulong)piece[0] << 16 | (ulong)piece[piece.Length / 2] << 8 | piece[^1],
            _ => (ulong)MemoryMarshal.Read<uint>(piece) << 32 | MemoryMarshal.Read<uint>(piece[^4..]),
        };
        return Mix(Mix(hash ^ rest));
    }

    private static ulong Mix(ulong value)
    {
        value *= 0xFF51AFD7ED558CCD;
        return value ^ value >> 32;
    }
}
