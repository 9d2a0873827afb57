using OpenHearth.Engine.Tokenization.Models;
using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization;

/// <summary>Collects the bytes that tokens decode to, in the order of their ids.</summary>
internal sealed class TokenDecoderBuilder(int expected)
{
    private readonly List<int> _ends = new(expected);
    private byte[] _bytes = new byte[Math.Max(256, expected * 8)];
    private int _length;

    /// <summary>Adds the next token as it is.</summary>
    public void Add(ReadOnlySpan<byte> token)
    {
        token.CopyTo(Reserve(token.Length));
        _length += token.Length;
        _ends.Add(_length);
    }

    /// <summary>Adds a token that is written in the byte-level alphabet, or as it is where it is not.</summary>
    public void AddByteLevel(ReadOnlySpan<byte> piece)
    {
        if (!ByteLevelAlphabet.TryRead(piece, Reserve(piece.Length), out var length))
        {
            Add(piece);
            return;
        }
        _length += length;
        _ends.Add(_length);
    }

    /// <summary>Adds a SentencePiece: U+2581 is a blank, <c>&lt;0x0A&gt;</c> a byte.</summary>
    public void AddSentencePiece(ReadOnlySpan<byte> piece, TokenKind kind)
    {
        if (kind == TokenKind.Byte && ByteFallback.Byte(piece) is var value and >= 0)
        {
            Add([(byte)value]);
            return;
        }
        var into = Reserve(piece.Length);
        var length = 0;
        for (var at = 0; at < piece.Length;)
        {
            var isBlank = piece[at..].StartsWith(CodePoints.Blank);
            into[length++] = isBlank ? (byte)' ' : piece[at];
            at += isBlank ? CodePoints.Blank.Length : 1;
        }
        _length += length;
        _ends.Add(_length);
    }

    /// <summary>The decoder.</summary>
    public TokenDecoder Build(BlankStripping stripping) => new(_bytes, [.. _ends], stripping);

    private Span<byte> Reserve(int length)
    {
        if (_length + length > _bytes.Length)
            Array.Resize(ref _bytes, Math.Max(_length + length, _bytes.Length * 2));
        return _bytes.AsSpan(_length);
    }
}
