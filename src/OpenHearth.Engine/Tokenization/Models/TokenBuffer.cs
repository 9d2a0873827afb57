namespace OpenHearth.Engine.Tokenization.Models;

/// <summary>
/// The tokens of one piece. A list of our own, because the framework's over our structs would have to be compiled when
/// the program starts. Not thread-safe.
/// </summary>
internal sealed class TokenBuffer
{
    private Token[] _tokens = new Token[16];

    public int Count { get; private set; }

    public ref Token this[int index] => ref _tokens[index];

    public void Clear() => Count = 0;

    public void Add(Token token)
    {
        if (Count == _tokens.Length)
            Array.Resize(ref _tokens, Count * 2);
        _tokens[Count++] = token;
    }

    /// <summary>Turns the order around.</summary>
    public void Reverse()
    {
        for (int i = 0, j = Count - 1; i < j; i++, j--)
            (_tokens[i], _tokens[j]) = (_tokens[j], _tokens[i]);
    }

    /// <summary>A copy.</summary>
    public Token[] ToArray()
    {
        var copy = new Token[Count];
        Array.Copy(_tokens, copy, Count);
        return copy;
    }

    /// <summary>Drops an array that a long text has left behind.</summary>
    public void Trim()
    {
        if (_tokens.Length > 1 << 16)
            _tokens = new Token[16];
    }
}
