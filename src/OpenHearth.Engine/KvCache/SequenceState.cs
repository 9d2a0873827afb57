using System.Runtime.InteropServices;
using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.KvCache;

/// <summary>
/// What a model remembers of one sequence: cache blocks, shared with forks until one of them writes, and recurrent state.
/// Not thread-safe.
/// </summary>
internal sealed class SequenceState : IDisposable
{
    private readonly BlockPool _pool;
    private readonly BlockTable[] _tables; // by group of layers
    private readonly NativeBuffer<float>? _state;
    private readonly StateHistory? _history;
    private readonly List<int> _tokens = []; // what Remembered counts, where it may have to be computed anew
    private int _missing; // the last of them that memory does not hold
    private bool _disposed;

    /// <summary>An empty sequence.</summary>
    public SequenceState(BlockPool pool)
    {
        _pool = pool;
        _tables = [.. Enumerable.Range(0, pool.Layout.Groups.Count).Select(group => new BlockTable(pool, group))];
        if (pool.Layout.StateLength == 0)
            return;
        _state = new NativeBuffer<float>(pool.Layout.StateLength);
        _history = new StateHistory();
    }

    /// <summary>Tokens remembered.</summary>
    public int Remembered => Length + _missing;

    /// <summary>Tokens that memory holds: all but those that the next step has to take in again.</summary>
    public int Length { get; private set; }

    /// <summary>The blocks of a group of layers as the attention kernel takes them; those that are not held are empty.</summary>
    public MemoryRegion[] Blocks(int group) => _tables[group].Regions;

    /// <summary>The keys of a group of layers that wait until their block is full, likewise; empty where none do.</summary>
    public MemoryRegion Waiting(int group) => _tables[group].Waiting;

    /// <summary>The state that a layer carries from token to token.</summary>
    public Span<float> State(StateSlot slot) => _state!.Slice(slot.Offset, slot.Length);

    /// <summary>True where the sequence is longer than <see cref="CacheLayout.OriginalLength"/>, or the next step makes it so.</summary>
    public bool BeyondOriginalLength { get; private set; }

    /// <summary>Tokens that the sequence has when all that was announced has come.</summary>
    public int Announced { get; private set; }

    /// <summary>
    /// Says that <paramref name="count"/> more tokens come. Where that changes the angles of the keys, memory is emptied.
    /// </summary>
    /// <returns>The tokens that memory has lost and that have to be taken in again, before the others.</returns>
    public int[] Begin(int count)
    {
        Announced = Remembered + count;
        var beyond = _pool.Layout.OriginalLength > 0 && Announced > _pool.Layout.OriginalLength;
        if (beyond != BeyondOriginalLength)
        {
            BeyondOriginalLength = beyond;
            _history?.Clear();
            GoBack(0, Remembered);
        }
        return _missing == 0 ? [] : [.. _tokens[Length..]];
    }

    /// <summary>Makes room for <paramref name="count"/> more tokens, in blocks that are this sequence's alone.</summary>
    public void Reserve(int count)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        foreach (var table in _tables)
            table.Reserve(Length, count);
    }

    /// <summary>Counts tokens whose keys, values and state have been written.</summary>
    public void Advance(ReadOnlySpan<int> tokens)
    {
        Length += tokens.Length;
        var again = Math.Min(_missing, tokens.Length);
        _missing -= again;
        if (KeepsTokens)
            _tokens.AddRange(tokens[again..]);
        if (_state is not null && Length == Enterable(Length))
            _history!.Advance(Length, _state);
        foreach (var table in _tables)
            table.Forget(Length);
    }

    /// <summary>Brings memory back to where it was before a step that has failed half-way.</summary>
    public void Abandon()
    {
        if (_state is not null || _pool.Layout.Seals)
            GoBack(Enterable(Length), Remembered);
    }

    /// <summary>
    /// Forgets all but the first <paramref name="length"/> tokens. Recurrent state goes back to the last checkpoint before, and
    /// where a window has freed what would come into sight again, all begins anew; the next step takes what lies between in again.
    /// </summary>
    public void Truncate(int length)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)Remembered, nameof(length));
        if (length < Length)
            GoBack(length, length);
        else
            Keep(length);
    }

    /// <summary>A second sequence with the same memory, which both keep until one writes.</summary>
    public SequenceState Fork()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var fork = new SequenceState(_pool) { Length = Length, BeyondOriginalLength = BeyondOriginalLength };
        fork._tokens.AddRange(_tokens);
        fork._missing = _missing;
        for (var i = 0; i < _tables.Length; i++)
            fork._tables[i] = _tables[i].Fork();
        if (_state is not null)
        {
            _state.Span.CopyTo(fork._state!.Span);
            fork._history!.Share(_history!);
        }
        return fork;
    }

    /// <summary>Writes all that is remembered.</summary>
    public void Save(SessionFile file)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        file.Write(Length);
        file.Write(_missing);
        file.Write(BeyondOriginalLength ? 1 : 0);
        file.Write(CollectionsMarshal.AsSpan(_tokens));
        foreach (var table in _tables)
            table.Save(file);
        if (_state is null)
            return;
        file.Write(_state.Span);
        _history!.Save(file);
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <param name="file">The file, which is not trusted.</param>
    /// <param name="pool">The cache.</param>
    /// <param name="longest">Tokens at most.</param>
    /// <param name="vocabulary">Tokens that there are.</param>
    public static SequenceState Load(SessionFile file, BlockPool pool, int longest, int vocabulary)
    {
        var sequence = new SequenceState(pool);
        try
        {
            sequence.Load(file, longest, vocabulary);
            return sequence;
        }
        catch
        {
            sequence.Dispose();
            throw;
        }
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        foreach (var table in _tables)
            table.Truncate(0);
        _state?.Dispose();
    }

    private void Load(SessionFile file, int longest, int vocabulary)
    {
        Length = file.ReadInt("length", 0, longest);
        _missing = file.ReadInt("tokens to take in again", 0, KeepsTokens ? longest - Length : 0);
        BeyondOriginalLength = file.ReadInt("long angles", 0, _pool.Layout.OriginalLength > 0 ? 1 : 0) == 1;
        if (KeepsTokens)
            _tokens.AddRange(file.ReadInts("tokens", Remembered));
        if (_tokens.FindIndex(token => (uint)token >= (uint)vocabulary) is >= 0 and var wrong)
            throw file.Wrong($"token {_tokens[wrong]} is not in the vocabulary of {vocabulary}");
        foreach (var table in _tables)
            table.Load(file, Length);
        if (_state is null)
            return;
        file.Read("recurrent state", _state.Span);
        _history!.Load(file, Length, _pool.Layout.StateLength);
    }

    private bool KeepsTokens => _state is not null || _pool.Layout.OriginalLength > 0 || _pool.Layout.Forgets || _pool.Layout.Seals;

    // The last place up to a length where tokens can be put that have been there before: the keys that a block has rounded
    // are no longer precise enough to be rounded with others.
    private int Enterable(int length) => _pool.Layout.Seals ? length / CacheFormat.BlockTokens * CacheFormat.BlockTokens : length;

    // Memory as it was after so many tokens, or earlier where state or blocks were not kept; of all tokens, as many stay remembered.
    private void GoBack(int length, int remembered)
    {
        if (length / CacheFormat.BlockTokens < Length / CacheFormat.BlockTokens || _state is not null)
            length = Enterable(length);
        if (_state is not null)
            length = _history!.Restore(length, _state);
        if (!Array.TrueForAll(_tables, table => table.Holds(length)))
            length = _state is null ? 0 : _history!.Restore(0, _state);
        foreach (var table in _tables)
            table.Truncate(length);
        Length = length;
        Keep(remembered);
    }

    private void Keep(int remembered)
    {
        _missing = remembered - Length;
        if (KeepsTokens)
            _tokens.RemoveRange(remembered, _tokens.Count - remembered);
    }
}
