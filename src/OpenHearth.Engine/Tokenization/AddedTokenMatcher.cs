using System.Buffers;
using OpenHearth.Engine.Tokenization.Models;
using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization;

/// <summary>Finds added tokens in text: leftmost first, of those the longest. Immutable, thread-safe.</summary>
internal sealed class AddedTokenMatcher
{
    private readonly ByteTrie _trie = new();
    private readonly SearchValues<byte> _first;
    private readonly AddedToken[] _tokens;

    /// <summary>A matcher of some tokens; empty ones are left out.</summary>
    public AddedTokenMatcher(AddedToken[] tokens)
    {
        _tokens = Array.FindAll(tokens, t => t.Content.Length > 0);
        var first = new byte[_tokens.Length];
        for (var i = 0; i < _tokens.Length; i++)
        {
            _trie.Add(_tokens[i].Content, i);
            first[i] = _tokens[i].Content[0];
        }
        _first = SearchValues.Create(first);
    }

    /// <summary>True where there is nothing to find.</summary>
    public bool IsEmpty => _tokens.Length == 0;

    /// <summary>The next token at or after <paramref name="from"/>, with the blanks that it takes, or null.</summary>
    public AddedToken? Next(ReadOnlySpan<byte> text, int from, out int start, out int end)
    {
        for (var at = from; !IsEmpty && at < text.Length; at++)
        {
            var skip = text[at..].IndexOfAny(_first);
            if (skip < 0)
                break;
            at += skip;
            var length = _trie.Longest(text[at..], out var index);
            if (length == 0 || _tokens[index].IsSingleWord && !StandsAlone(text, at, at + length))
                continue;
            (start, end) = (at, at + length);
            if (_tokens[index].StripsLeft)
                start = BlanksBefore(text, start, from);
            if (_tokens[index].StripsRight)
                end = BlanksAfter(text, end);
            return _tokens[index];
        }
        start = end = text.Length;
        return null;
    }

    private static bool StandsAlone(ReadOnlySpan<byte> text, int start, int end) =>
        (start == 0 || !IsWordCharacter(CodePoints.DecodeBefore(text, start, out _)))
        && (end == text.Length || !IsWordCharacter(CodePoints.Decode(text, end, out _)));

    private static bool IsWordCharacter(int codePoint) =>
        codePoint == '_' || (CodePoints.Classify(codePoint) & (CharClass.Letter | CharClass.Number | CharClass.Mark)) != 0;

    private static int BlanksBefore(ReadOnlySpan<byte> text, int at, int from)
    {
        while (at > from && (CodePoints.Classify(CodePoints.DecodeBefore(text, at, out var start)) & CharClass.White) != 0)
            at = start;
        return at;
    }

    private static int BlanksAfter(ReadOnlySpan<byte> text, int at)
    {
        while (at < text.Length && (CodePoints.Classify(CodePoints.Decode(text, at, out var length)) & CharClass.White) != 0)
            at += length;
        return at;
    }
}
