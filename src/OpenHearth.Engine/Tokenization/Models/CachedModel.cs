using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.Models;

/// <summary>A model that remembers the tokens of short pieces. Thread-safe.</summary>
internal abstract class CachedModel : TokenModel
{
    private readonly WordCache _cache = new();

    public sealed override void Encode(Workspace work, TextBuffer text, int start, int end)
    {
        var length = end - start;
        if (length > WordCache.MaxWordLength)
        {
            Compute(work, text.Span[start..end]);
            work.Tokens.Add(work.Piece.ToArray(), text, start);
            return;
        }
        var key = new WordKey(text.Bytes, start, length);
        if (_cache.Find(key) is not { } tokens)
        {
            Compute(work, text.Span[start..end]);
            _cache.Add(key, tokens = work.Piece.ToArray());
        }
        work.Tokens.Add(tokens, text, start);
    }

    /// <summary>Puts the tokens of a piece into the workspace's list for one, which it empties first.</summary>
    protected abstract void Compute(Workspace work, ReadOnlySpan<byte> piece);
}
