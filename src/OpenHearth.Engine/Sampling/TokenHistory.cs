namespace OpenHearth.Engine.Sampling;

/// <summary>The last tokens of one sequence, as many as the penalties look at; oldest first.</summary>
internal sealed class TokenHistory(int window, int vocabularySize)
{
    /// <summary>The longest window that options may ask for.</summary>
    public const int LargestWindow = 1 << 20;

    // Twice the window: tokens are appended, and moved down once the end is reached, so the recent ones lie in one piece.
    private int[] _tokens = new int[Math.Min(2 * window, 256)];
    private int _end;
    private int[] _counts = [];
    private TokenCount[] _distinct = [];

    public readonly record struct TokenCount(int Token, int Count);

    public void Add(int token)
    {
        if ((uint)token >= (uint)vocabularySize)
            throw new ArgumentOutOfRangeException(nameof(token), token, $"Token {token} is outside of the vocabulary of {vocabularySize}.");
        if (window == 0)
            return;
        if (_end == 2 * window)
        {
            Array.Copy(_tokens, window, _tokens, 0, window);
            _end = window;
        }
        else if (_end == _tokens.Length)
        {
            Array.Resize(ref _tokens, Math.Min(2 * window, 2 * _tokens.Length));
        }
        _tokens[_end++] = token;
    }

    /// <summary>At most the last <paramref name="count"/> tokens.</summary>
    public ReadOnlySpan<int> Last(int count)
    {
        var length = Math.Min(count, Math.Min(_end, window));
        return _tokens.AsSpan(_end - length, length);
    }

    /// <summary>The distinct tokens among the last <paramref name="count"/>, with how often each is there; valid until the next call.</summary>
    public ReadOnlySpan<TokenCount> Counts(int count)
    {
        var tokens = Last(count);
        if (_counts.Length == 0)
            _counts = new int[vocabularySize];
        if (_distinct.Length < tokens.Length)
            _distinct = new TokenCount[_tokens.Length];
        foreach (var token in tokens)
            _counts[token]++;
        var distinct = 0;
        foreach (var token in tokens)
        {
            if (_counts[token] == 0)
                continue;
            _distinct[distinct++] = new(token, _counts[token]);
            _counts[token] = 0;
        }
        return _distinct.AsSpan(0, distinct);
    }
}
