using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.Models;

/// <summary>
/// BERT's WordPiece: the longest piece that a word starts with, then the longest continuation, and so on; a word that
/// doesn't come out, or is too long, is unknown as a whole. Thread-safe.
/// </summary>
internal sealed class WordPiece(ByteTrie starts, ByteTrie continuations, int unknown, int maxCharacters) : CachedModel
{
    protected override void Compute(Workspace work, ReadOnlySpan<byte> piece)
    {
        work.Piece.Clear();
        if (IsTooLong(piece))
        {
            work.Piece.Add(new Token(unknown, piece.Length));
            return;
        }
        for (var at = 0; at < piece.Length;)
        {
            var length = (at == 0 ? starts : continuations).Longest(piece[at..], out var id);
            if (length == 0)
            {
                work.Piece.Clear();
                work.Piece.Add(new Token(unknown, piece.Length));
                return;
            }
            work.Piece.Add(new Token(id, length));
            at += length;
        }
    }

    private bool IsTooLong(ReadOnlySpan<byte> piece)
    {
        if (piece.Length <= maxCharacters)
            return false;
        var count = 0;
        foreach (var value in piece)
            count += CodePoints.IsContinuation(value) ? 0 : 1;
        return count > maxCharacters;
    }
}
