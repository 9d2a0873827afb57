using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.Models;

/// <summary>
/// SentencePiece's unigram model: of all ways to cut a piece the one with the greatest sum of scores (Viterbi), in the
/// order and the 32-bit arithmetic of SentencePiece, which decide between equals. Thread-safe.
/// </summary>
internal sealed class Unigram : CachedModel
{
    private const float UnknownPenalty = 10;
    private const float UserDefinedBonus = 0.1f;

    private readonly ByteTrie _trie = new();
    private readonly float[] _scores;
    private readonly bool[] _userDefined;
    private readonly ByteFallback _fallback;
    private readonly float _unknownScore;
    private readonly float _maxScore;

    public Unigram(Vocabulary vocabulary, float[] scores, ByteFallback fallback)
    {
        (_scores, _fallback) = (scores, fallback);
        _userDefined = new bool[vocabulary.Count];
        var (least, most) = (float.MaxValue, float.MinValue);
        for (var id = 0; id < vocabulary.Count; id++)
        {
            var kind = vocabulary.Kind(id);
            _userDefined[id] = kind == TokenKind.UserDefined;
            if (kind is not (TokenKind.Normal or TokenKind.UserDefined) || vocabulary.Piece(id).Length == 0)
                continue;
            _trie.Add(vocabulary.Piece(id), id);
            if (kind == TokenKind.Normal)
                (least, most) = (Math.Min(least, scores[id]), Math.Max(most, scores[id]));
        }
        _unknownScore = (least == float.MaxValue ? 0 : least) - UnknownPenalty;
        _maxScore = most == float.MinValue ? 0 : most;
    }

    protected override void Compute(Workspace work, ReadOnlySpan<byte> piece)
    {
        var lattice = work.Lattice;
        lattice.Clear(piece.Length);
        for (var start = 0; start < piece.Length;)
        {
            var character = Math.Min(CodePoints.LengthFrom(piece[start]), piece.Length - start);
            var score = lattice.Score(start);
            var (node, hasSingle) = (0, false);
            for (var end = start + 1; end <= piece.Length; end++)
            {
                node = _trie.Step(node, piece[end - 1]);
                if (node < 0)
                    break;
                if (_trie.Value(node) is not (var id and >= 0))
                    continue;
                lattice.Offer(start, end, id, score + (_userDefined[id] ? (end - start) * _maxScore - UserDefinedBonus : _scores[id]));
                hasSingle |= end - start == character;
            }
            if (!hasSingle)
                lattice.Offer(start, start + character, -1, score + _unknownScore);
            start += character;
        }
        Collect(lattice, work.Piece, piece);
    }

    private void Collect(Lattice lattice, List<Token> into, ReadOnlySpan<byte> piece)
    {
        into.Clear();
        for (var end = piece.Length; end > 0;)
        {
            var (id, start) = lattice.Last(end);
            into.Add(new Token(id, end - start));
            end = start;
        }
        into.Reverse();
        if (!into.Exists(t => t.Id < 0))
            return;
        Token[] ways = [.. into];
        into.Clear();
        var at = 0;
        foreach (var token in ways)
        {
            if (token.Id < 0)
                _fallback.Append(piece.Slice(at, token.Length), into);
            else
                into.Add(token);
            at += token.Length;
        }
    }
}
