namespace OpenHearth.Engine.Tokenization.Text;

/// <summary>The ends of pieces, some of which are left out; it keeps its array from text to text. Not thread-safe.</summary>
internal sealed class CutList
{
    // A piece that is left out is kept as the complement of its end.
    private int[] _ends = new int[64];

    public int Count { get; private set; }

    /// <summary>The end of a piece; it starts where the one before ends.</summary>
    public int this[int index] => _ends[index] < 0 ? ~_ends[index] : _ends[index];

    /// <summary>True for a piece that no token stands for, such as the blanks between words.</summary>
    public bool IsDropped(int index) => _ends[index] < 0;

    public void Clear() => Count = 0;

    public void Add(int end)
    {
        if (Count == _ends.Length)
            Array.Resize(ref _ends, Count * 2);
        _ends[Count++] = end;
    }

    /// <summary>Appends a piece that is left out.</summary>
    public void Drop(int end) => Add(~end);
}
