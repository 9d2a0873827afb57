using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.Models;

/// <summary>
/// SentencePiece's byte-pair encoding: characters merge while their text together is a piece, the best score first.
/// A character without a piece becomes its byte tokens or, where the vocabulary has none, the unknown token. Thread-safe.
/// </summary>
internal sealed class SentencePieceBpe(Vocabulary vocabulary, float[] scores, ByteFallback fallback) : CachedModel
{
    protected override void Compute(Workspace work, ReadOnlySpan<byte> piece)
    {
        work.Piece.Clear();
        if (vocabulary.Find(piece) is var whole and >= 0 && vocabulary.Kind(whole) == TokenKind.UserDefined)
        {
            work.Piece.Add(new Token(whole, piece.Length));
            return;
        }
        var queue = work.Queue;
        queue.Clear();
        for (var at = 0; at < piece.Length;)
        {
            var length = CodePoints.LengthFrom(piece[at]);
            queue.Add(Find(piece.Slice(at, length)), length);
            at += length;
        }
        queue.Merge(new Pairs(this, piece));
        var start = 0;
        for (var i = 0; i < queue.Count; i++)
        {
            var token = queue[i];
            if (token.Id == MergeTable.NoToken)
                fallback.Append(piece.Slice(start, token.Length), work.Piece);
            else if (vocabulary.Kind(token.Id) == TokenKind.Unused)
                Unmerge(piece.Slice(start, token.Length), work.Piece);
            else
                work.Piece.Add(token);
            start += token.Length;
        }
    }

    // A piece that only serves to build others is taken apart again, at the split whose worse half has the best score.
    private void Unmerge(ReadOnlySpan<byte> piece, TokenBuffer into)
    {
        var (best, split) = (float.NegativeInfinity, 0);
        for (var at = CodePoints.LengthFrom(piece[0]); at < piece.Length; at += CodePoints.LengthFrom(piece[at]))
        {
            int left = Find(piece[..at]), right = Find(piece[at..]);
            if (left != MergeTable.NoToken && right != MergeTable.NoToken && Math.Min(scores[left], scores[right]) > best)
                (best, split) = (Math.Min(scores[left], scores[right]), at);
        }
        if (split == 0)
        {
            into.Add(new Token(Find(piece), piece.Length));
            return;
        }
        foreach (var half in (ReadOnlySpan<(int Start, int End)>)[(0, split), (split, piece.Length)])
        {
            var part = piece[half.Start..half.End];
            if (Find(part) is var id && vocabulary.Kind(id) == TokenKind.Unused)
                Unmerge(part, into);
            else
                into.Add(new Token(id, part.Length));
        }
    }

    private int Find(ReadOnlySpan<byte> piece)
    {
        var id = vocabulary.Find(piece);
        return id >= 0 && vocabulary.Kind(id) is TokenKind.Normal or TokenKind.UserDefined or TokenKind.Unused ? id : MergeTable.NoToken;
    }

    private readonly ref struct Pairs(SentencePieceBpe model, ReadOnlySpan<byte> piece) : IMergePairs
    {
        private readonly ReadOnlySpan<byte> _piece = piece;

        public int Find(int left, int right, int leftStart, int end) =>
            model.Find(_piece[leftStart..end]) is var id && id == MergeTable.NoToken ? -1 : id;

        // The bits of a float, turned so that the greatest number comes first.
        public uint Priority(int merge)
        {
            var bits = BitConverter.SingleToUInt32Bits(model.Score(merge));
            return (bits & 0x80000000) != 0 ? bits : 0x7FFFFFFF - bits;
        }

        public int Result(int merge) => merge;
    }

    private float Score(int id) => scores[id] == 0 ? 0 : scores[id];
}
