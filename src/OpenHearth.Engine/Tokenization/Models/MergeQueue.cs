namespace OpenHearth.Engine.Tokenization.Models;

/// <summary>
/// Merges the symbols of one piece, the most urgent first and of those the leftmost: by scanning while the piece is
/// short, with a heap over a linked list (n log n) where it is long. Not thread-safe; keeps its arrays from piece to piece.
/// </summary>
internal sealed class MergeQueue
{
    private const int ShortPiece = 96;
    private const uint Never = uint.MaxValue;

    private int[] _ids = new int[ShortPiece];
    private int[] _starts = new int[ShortPiece + 1];
    private int[] _merges = new int[ShortPiece];
    private uint[] _priorities = new uint[ShortPiece];
    private int[] _previous = [];
    private int[] _next = [];
    private ulong[] _heap = [];
    private int _heapCount;

    /// <summary>Symbols so far.</summary>
    public int Count { get; private set; }

    /// <summary>A symbol: its id and its bytes.</summary>
    public Token this[int index] => new(_ids[index], _starts[index + 1] - _starts[index]);

    /// <summary>Starts a piece.</summary>
    public void Clear() => Count = 0;

    /// <summary>Appends a symbol: an id, or <see cref="MergeTable.NoToken"/>, and its bytes.</summary>
    public void Add(int id, int length)
    {
        if (Count == _ids.Length)
        {
            Array.Resize(ref _ids, Count * 2);
            Array.Resize(ref _starts, Count * 2 + 1);
            Array.Resize(ref _merges, Count * 2);
            Array.Resize(ref _priorities, Count * 2);
        }
        _ids[Count] = id;
        _starts[Count + 1] = _starts[Count] + length;
        Count++;
    }

    /// <summary>Applies all merges that apply.</summary>
    public void Merge<TPairs>(TPairs pairs) where TPairs : struct, IMergePairs, allows ref struct
    {
        if (Count <= ShortPiece)
            MergeByScan(pairs);
        else
            MergeByHeap(pairs);
    }

    /// <summary>Drops arrays that a long text has left behind.</summary>
    public void Trim()
    {
        if (_ids.Length <= 1 << 16)
            return;
        (_ids, _starts, _merges, _priorities) = (new int[ShortPiece], new int[ShortPiece + 1], new int[ShortPiece], new uint[ShortPiece]);
        (_previous, _next, _heap) = ([], [], []);
    }

    private void MergeByScan<TPairs>(TPairs pairs) where TPairs : struct, IMergePairs, allows ref struct
    {
        var count = Count;
        for (var i = 0; i + 1 < count; i++)
            Rank(pairs, i, i + 1, i + 2);
        while (count > 1)
        {
            var (best, at) = (Never, 0);
            for (var i = 0; i < count - 1; i++)
            {
                if (_priorities[i] < best)
                    (best, at) = (_priorities[i], i);
            }
            if (best == Never)
                break;
            _ids[at] = pairs.Result(_merges[at]);
            count--;
            Array.Copy(_ids, at + 2, _ids, at + 1, count - at - 1);
            Array.Copy(_starts, at + 2, _starts, at + 1, count - at);
            Array.Copy(_merges, at + 1, _merges, at, count - at);
            Array.Copy(_priorities, at + 1, _priorities, at, count - at);
            if (at > 0)
                Rank(pairs, at - 1, at, at + 1);
            if (at + 1 < count)
                Rank(pairs, at, at + 1, at + 2);
        }
        Count = count;
    }

    private void MergeByHeap<TPairs>(TPairs pairs) where TPairs : struct, IMergePairs, allows ref struct
    {
        Link();
        for (var i = 0; i < Count; i++)
            Offer(pairs, i);
        while (_heapCount > 0)
        {
            var top = Pop();
            var at = (int)(uint)top;
            if (_priorities[at] != (uint)(top >> 32))
                continue;
            var right = _next[at];
            _ids[at] = pairs.Result(_merges[at]);
            _priorities[right] = Never;
            _next[at] = _next[right];
            if (_next[at] < Count)
                _previous[_next[at]] = at;
            Offer(pairs, at);
            if (_previous[at] >= 0)
                Offer(pairs, _previous[at]);
        }
        Compact();
    }

    private void Rank<TPairs>(TPairs pairs, int at, int right, int end) where TPairs : struct, IMergePairs, allows ref struct
    {
        var merge = pairs.Find(_ids[at], _ids[right], _starts[at], _starts[end]);
        _merges[at] = merge;
        _priorities[at] = merge < 0 ? Never : pairs.Priority(merge);
    }

    private void Offer<TPairs>(TPairs pairs, int at) where TPairs : struct, IMergePairs, allows ref struct
    {
        if (_next[at] >= Count)
        {
            _priorities[at] = Never;
            return;
        }
        Rank(pairs, at, _next[at], _next[_next[at]]);
        if (_priorities[at] != Never)
            Push((ulong)_priorities[at] << 32 | (uint)at);
    }

    private void Link()
    {
        if (_next.Length < _ids.Length)
        {
            _previous = new int[_ids.Length];
            _next = new int[_ids.Length];
        }
        for (var i = 0; i < Count; i++)
            (_previous[i], _next[i]) = (i - 1, i + 1);
        _heapCount = 0;
    }

    private void Compact()
    {
        var (kept, end) = (0, _starts[Count]);
        for (var i = 0; i < Count; i = _next[i])
            (_ids[kept], _starts[kept++]) = (_ids[i], _starts[i]);
        _starts[kept] = end;
        Count = kept;
    }

    private void Push(ulong value)
    {
        if (_heapCount == _heap.Length)
            Array.Resize(ref _heap, Math.Max(256, _heapCount * 2));
        var at = _heapCount++;
        while (at > 0 && _heap[(at - 1) / 2] > value)
        {
            _heap[at] = _heap[(at - 1) / 2];
            at = (at - 1) / 2;
        }
        _heap[at] = value;
    }

    private ulong Pop()
    {
        var top = _heap[0];
        var value = _heap[--_heapCount];
        var at = 0;
        while (2 * at + 1 < _heapCount)
        {
            var child = 2 * at + 1;
            if (child + 1 < _heapCount && _heap[child + 1] < _heap[child])
                child++;
            if (_heap[child] >= value)
                break;
            _heap[at] = _heap[child];
            at = child;
        }
        _heap[at] = value;
        return top;
    }
}
