using OpenHearth.Engine.Tokenization.Models;

namespace OpenHearth.Engine.Tokenization.Text;

/// <summary>The ids that a text gives and, where asked for, the bytes of the original that each covers. Not thread-safe.</summary>
internal sealed class TokenList
{
    private int[] _ids = new int[64];
    private int[] _starts = [];
    private int[] _ends = [];

    public int Count { get; private set; }

    /// <summary>True where offsets are kept.</summary>
    public bool HasOffsets { get; private set; }

    public ReadOnlySpan<int> Ids => _ids.AsSpan(0, Count);

    public void Clear(bool withOffsets)
    {
        Count = 0;
        HasOffsets = withOffsets;
    }

    /// <summary>Appends the tokens of a piece that starts at <paramref name="position"/> of a text.</summary>
    public void Add(Token[] tokens, TextBuffer text, int position)
    {
        Reserve(tokens.Length);
        for (var i = 0; i < tokens.Length; i++)
            _ids[Count + i] = tokens[i].Id;
        if (HasOffsets)
        {
            for (var i = 0; i < tokens.Length; i++)
            {
                var length = tokens[i].Length;
                var end = position + (length < 0 ? ~length : length);
                (_starts[Count + i], _ends[Count + i]) = text.Covered(position, end);
                position = length < 0 ? position : end;
            }
        }
        Count += tokens.Length;
    }

    /// <summary>Appends a token that starts at <paramref name="position"/> of a text.</summary>
    public void Add(Token token, TextBuffer text, int position)
    {
        var (start, end) = HasOffsets ? text.Covered(position, position + token.Length) : (0, 0);
        Add(token.Id, start, end);
    }

    /// <summary>Appends one token that covers [start, end) of the original.</summary>
    public void Add(int id, int start, int end)
    {
        Reserve(1);
        _ids[Count] = id;
        if (HasOffsets)
            (_starts[Count], _ends[Count]) = (start, end);
        Count++;
    }

    /// <summary>Bytes [start, end) of the original that a token covers.</summary>
    public (int Start, int End) Offsets(int index) => (_starts[index], _ends[index]);

    /// <summary>Moves the span of a token.</summary>
    public void SetOffsets(int index, int start, int end) => (_starts[index], _ends[index]) = (start, end);

    /// <summary>Drops arrays that a long text has left behind.</summary>
    public void Trim()
    {
        if (_ids.Length > 1 << 18)
            (_ids, _starts, _ends) = (new int[64], [], []);
    }

    private void Reserve(int more)
    {
        var needed = Count + more;
        if (needed > _ids.Length)
            Array.Resize(ref _ids, Math.Max(needed, _ids.Length * 2));
        if (HasOffsets && _starts.Length < _ids.Length)
        {
            Array.Resize(ref _starts, _ids.Length);
            Array.Resize(ref _ends, _ids.Length);
        }
    }
}
