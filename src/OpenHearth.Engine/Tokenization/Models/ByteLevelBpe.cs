using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.Models;

/// <summary>Byte-level byte-pair encoding: a piece starts as its bytes, which merge by rank. Thread-safe.</summary>
/// <param name="byteTokens">The token of each byte; <see cref="MergeTable.NoToken"/> where there is none.</param>
/// <param name="merges">The merges by rank.</param>
/// <param name="wholeWords">Where given: a piece that is a token as a whole is taken as that (llama 3, Qwen).</param>
/// <param name="unknown">The token of a byte without one, or -1: such a byte is left out.</param>
internal sealed class ByteLevelBpe(int[] byteTokens, MergeTable merges, Vocabulary? wholeWords, int unknown) : CachedModel
{
    /// <summary>The token of each byte in a vocabulary that is written in the byte-level alphabet.</summary>
    public static int[] ByteTokens(Vocabulary vocabulary)
    {
        var tokens = new int[256];
        Span<byte> written = stackalloc byte[2];
        for (var value = 0; value < 256; value++)
        {
            var id = vocabulary.Find(written[..ByteLevelAlphabet.Write([(byte)value], written)]);
            tokens[value] = id < 0 ? MergeTable.NoToken : id;
        }
        return tokens;
    }

    protected override void Compute(Workspace work, ReadOnlySpan<byte> piece)
    {
        work.Piece.Clear();
        if (WholeWord(piece) is var whole and >= 0)
        {
            work.Piece.Add(new Token(whole, piece.Length));
            return;
        }
        var queue = work.Queue;
        queue.Clear();
        foreach (var value in piece)
            queue.Add(byteTokens[value], 1);
        queue.Merge(new MergeTable.Pairs(merges));
        for (var i = 0; i < queue.Count; i++)
        {
            var token = queue[i];
            if (token.Id != MergeTable.NoToken)
                work.Piece.Add(token);
            else if (unknown >= 0)
                work.Piece.Add(token with { Id = unknown });
        }
    }

    private int WholeWord(ReadOnlySpan<byte> piece)
    {
        if (wholeWords is null || piece.Length > wholeWords.MaxPieceLength)
            return -1;
        Span<byte> written = piece.Length <= 128 ? stackalloc byte[256] : new byte[piece.Length * 2];
        var id = wholeWords.Find(written[..ByteLevelAlphabet.Write(piece, written)]);
        return id >= 0 && wholeWords.Kind(id) == TokenKind.Normal ? id : -1;
    }
}
