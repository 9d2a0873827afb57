namespace OpenHearth.Engine.Tokenization.Text;

/// <summary>A list of ends of pieces; it keeps its array from text to text. Not thread-safe.</summary>
internal sealed class CutList
{
    private int[] _ends = new int[64];

    public int Count { get; private set; }

    public int this[int index] => _ends[index];

    public void Clear() => Count = 0;

    public void Add(int end)
    {
        if (Count == _ends.Length)
            Array.Resize(ref _ends, Count * 2);
        _ends[Count++] = end;
    }
}
