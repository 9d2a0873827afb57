using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.KvCache;

/// <summary>
/// Recurrent state can't be shortened. So a few copies of it are kept while a sequence grows, close to each other near its
/// end and far apart before, and going back means to begin from one of them. Not thread-safe; the copies are shared by forks.
/// </summary>
internal sealed class StateHistory
{
    /// <summary>Copies kept at most.</summary>
    public const int Capacity = 4;

    /// <summary>Tokens between two copies at least.</summary>
    public const int Interval = 256;

    private readonly List<(int Length, float[] State)> _copies = []; // by length

    /// <summary>Copies that a sequence of this many tokens keeps at most.</summary>
    public static int CopiesFor(int tokens) => Math.Min(Capacity, tokens / Interval);

    /// <summary>Copies the state if the sequence has grown enough since the last copy.</summary>
    /// <param name="length">Tokens that the state has seen.</param>
    /// <param name="state">The state.</param>
    public void Advance(int length, NativeBuffer<float> state)
    {
        if (length - LengthOf(_copies.Count - 1) < Interval)
            return;
        _copies.Add((length, state.Span.ToArray()));
        if (_copies.Count > Capacity)
            _copies.RemoveAt(LeastMissed());
    }

    /// <summary>Makes the state what it was after <paramref name="length"/> tokens or fewer, and forgets later copies.</summary>
    /// <returns>Tokens that the state has seen now.</returns>
    public int Restore(int length, NativeBuffer<float> state)
    {
        _copies.RemoveAll(copy => copy.Length > length);
        if (_copies.Count == 0)
        {
            state.Span.Clear();
            return 0;
        }
        _copies[^1].State.CopyTo(state.Span);
        return _copies[^1].Length;
    }

    /// <summary>Forgets all copies.</summary>
    public void Clear() => _copies.Clear();

    /// <summary>Takes over the copies of another sequence.</summary>
    public void Share(StateHistory other) => _copies.AddRange(other._copies);

    /// <summary>Writes the copies.</summary>
    public void Save(SessionFile file)
    {
        file.Write(_copies.Count);
        foreach (var (length, state) in _copies)
        {
            file.Write(length);
            file.Write(state);
        }
    }

    /// <summary>Reads copies of a sequence of <paramref name="length"/> tokens into this empty history.</summary>
    public void Load(SessionFile file, int length, int stateLength)
    {
        var count = file.ReadInt("number of copies", 0, Capacity);
        for (var i = 0; i < count; i++)
        {
            var at = file.ReadInt("length of a copy", LengthOf(i - 1) + 1, length);
            file.Expect("copy", (long)stateLength * sizeof(float));
            var state = new float[stateLength];
            file.Read("copy", state);
            _copies.Add((at, state));
        }
    }

    private int LengthOf(int index) => index < 0 ? 0 : _copies[index].Length;

    // The one whose gap, were it gone, would be the smallest part of the way back to it. The last stays.
    private int LeastMissed()
    {
        var end = _copies[^1].Length;
        double Gap(int index) => (LengthOf(index + 1) - LengthOf(index - 1)) / (double)(end - LengthOf(index - 1));
        return Enumerable.Range(0, _copies.Count - 1).MinBy(Gap);
    }
}
