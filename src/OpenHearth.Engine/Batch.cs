using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine;

/// <summary>
/// Tokens of any number of sessions that go through the model together, and which results are wanted. Reuse one: it keeps its
/// memory, so that a step allocates nothing. Not thread-safe; it owns the results of its last step.
/// </summary>
public sealed class Batch : IDisposable
{
    private readonly List<Entry> _entries = [];
    private int[] _tokens = new int[64];
    private int _tokenCount;
    private int _width;
    private NativeBuffer<float> _results = new(0);

    /// <summary>Number of runs added.</summary>
    public int Count => _entries.Count;

    /// <summary>Number of tokens added.</summary>
    public int TokenCount => _tokenCount;

    /// <summary>Rows of results asked for.</summary>
    public int RowCount { get; private set; }

    internal ReadOnlySpan<Entry> Entries => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_entries);

    /// <summary>Removes all runs.</summary>
    public void Clear()
    {
        _entries.Clear();
        _tokenCount = 0;
        RowCount = 0;
    }

    /// <summary>Adds the next tokens of a session; a session may be in a batch once.</summary>
    /// <param name="session">Whose tokens they are.</param>
    /// <param name="tokens">At least one.</param>
    /// <param name="rows">How many of the last tokens' results are wanted: 0 for none, 1 for the next token's scores.</param>
    public void Add(Session session, ReadOnlySpan<int> tokens, int rows = 1)
    {
        ArgumentOutOfRangeException.ThrowIfZero(tokens.Length, nameof(tokens));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)rows, (uint)tokens.Length, nameof(rows));
        foreach (var entry in _entries)
        {
            if (entry.Session == session)
                throw new ArgumentException("The session is in the batch already.", nameof(session));
        }
        if (_tokens.Length < _tokenCount + tokens.Length)
            Array.Resize(ref _tokens, Math.Max(_tokenCount + tokens.Length, 2 * _tokens.Length));
        tokens.CopyTo(_tokens.AsSpan(_tokenCount));
        _entries.Add(new Entry(session, _tokenCount, tokens.Length, RowCount, rows));
        _tokenCount += tokens.Length;
        RowCount += rows;
    }

    /// <summary>A row of results of the last step.</summary>
    /// <param name="run">Which run, in the order in which they were added.</param>
    /// <param name="row">Which of its rows, 0 being the first that was asked for.</param>
    /// <returns>[vocabulary], or [width] for encoders; valid until the next step of this batch</returns>
    public ReadOnlySpan<float> Results(int run, int row = 0)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)_entries[run].Rows, nameof(row));
        return _results.Slice((long)(_entries[run].FirstResult + row) * _width, _width);
    }

    /// <summary>Frees the results.</summary>
    public void Dispose() => _results.Dispose();

    internal ReadOnlySpan<int> Tokens(in Entry entry) => _tokens.AsSpan(entry.FirstToken, entry.Count);

    /// <summary>Room for the results; memory grows to the largest step.</summary>
    internal void Prepare(int width)
    {
        _width = width;
        if (_results.Length >= (long)RowCount * width)
            return;
        _results.Dispose();
        _results = new NativeBuffer<float>((long)RowCount * width);
    }

    internal Span<float> ResultRows(int first, int count) => _results.Slice((long)first * _width, count * _width);

    internal readonly record struct Entry(Session Session, int FirstToken, int Count, int FirstResult, int Rows);
}
