using OpenHearth.Engine.Files;

namespace OpenHearth.Engine.Tokenization.Models;

/// <summary>Collects the pieces of a vocabulary in the order of their ids.</summary>
internal sealed class VocabularyBuilder(int expected)
{
    private readonly List<int> _ends = new(Math.Min(expected, Vocabulary.MaxCount));
    private readonly List<TokenKind> _kinds = new(Math.Min(expected, Vocabulary.MaxCount));
    private byte[] _bytes = new byte[Math.Max(256, Math.Min(expected, Vocabulary.MaxCount) * 8)];
    private int _length;

    /// <summary>Tokens so far.</summary>
    public int Count => _ends.Count;

    /// <summary>Adds the next token.</summary>
    /// <exception cref="ModelFormatException">The vocabulary is too large.</exception>
    public void Add(ReadOnlySpan<byte> piece, TokenKind kind)
    {
        if (_ends.Count == Vocabulary.MaxCount || _length > int.MaxValue / 2 - piece.Length)
            throw new ModelFormatException($"The vocabulary has more than {Vocabulary.MaxCount} tokens or 1 GiB of text.");
        if (_length + piece.Length > _bytes.Length)
            Array.Resize(ref _bytes, Math.Max(_length + piece.Length, _bytes.Length * 2));
        piece.CopyTo(_bytes.AsSpan(_length));
        _length += piece.Length;
        _ends.Add(_length);
        _kinds.Add(kind);
    }

    /// <summary>The vocabulary.</summary>
    public Vocabulary Build() => new(_bytes, [.. _ends], [.. _kinds]);
}
