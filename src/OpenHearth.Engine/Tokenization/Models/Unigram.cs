using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.Models;

/// <summary>
/// SentencePiece's unigram model: of all ways to cut a piece the one with the greatest sum of scores (Viterbi), the first
/// of equals. Thread-safe.
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
    private readonly bool _isSingle;

    /// <param name="vocabulary">The pieces.</param>
    /// <param name="scores">The score of each.</param>
    /// <param name="fallback">What an unknown character becomes.</param>
    /// <param name="isSingle">Sums are rounded to 32 bits, as SentencePiece's are, which decides between near equals; Hugging Face's and llama.cpp's are not.</param>
    public Unigram(Vocabulary vocabulary, float[] scores, ByteFallback fallback, bool isSingle = true)
    {
        (_scores, _fallback, _isSingle) = (scores, fallback, isSingle);
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
                lattice.Offer(start, end, id, Sum(score, _userDefined[id] ? (end - start) * _maxScore - UserDefinedBonus : _scores[id]));
                hasSingle |= end - start == character;
            }
            if (!hasSingle)
                lattice.Offer(start, start + character, -1, Sum(score, _unknownScore));
            start += character;
        }
        Collect(lattice, work.Piece, piece);
    }

    private double Sum(double score, float more) => _isSingle ? (float)(score + more) : score + more;

    private void Collect(Lattice lattice, TokenBuffer into, ReadOnlySpan<byte> piece)
    {
        into.Clear();
        for (var end = piece.Length; end > 0;)
        {
            var (id, start) = lattice.Last(end);
            into.Add(new Token(id, end - start));
            end = start;
        }
        into.Reverse();
        var ways = into.ToArray();
        if (!Array.Exists(ways, t => t.Id < 0))
            return;
        into.Clear();
        var at = 0;
        for (var i = 0; i < ways.Length; i++)
        {
            var length = ways[i].Length;
            if (ways[i].Id >= 0)
                into.Add(ways[i]);
            else
            {
                while (_fallback.KeepsRuns && i + 1 < ways.Length && ways[i + 1].Id < 0)
                    length += ways[++i].Length;
                _fallback.Append(piece.Slice(at, length), into);
            }
            at += length;
        }
    }
}
