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
    private readonly List<CacheBlock> _blocks = [];
    private readonly NativeBuffer<float>? _state;
    private readonly List<int> _tokens = []; // what Length counts, where it may have to be computed anew
    private bool _disposed;

    /// <summary>An empty sequence.</summary>
    public SequenceState(BlockPool pool)
    {
        _pool = pool;
        _state = pool.Layout.StateLength > 0 ? new NativeBuffer<float>(pool.Layout.StateLength) : null;
    }

    /// <summary>Tokens remembered.</summary>
    public int Length { get; private set; }

    /// <summary>The blocks as the attention kernel takes them; entries after the last block are empty.</summary>
    public MemoryRegion[] Blocks { get; private set; } = [];

    /// <summary>The state that a layer carries from token to token.</summary>
    public Span<float> State(StateSlot slot) => _state!.Slice(slot.Offset, slot.Length);

    /// <summary>True where the sequence is longer than <see cref="CacheLayout.OriginalLength"/>, or the next step makes it so.</summary>
    public bool BeyondOriginalLength { get; private set; }

    /// <summary>
    /// Says that <paramref name="count"/> more tokens come. Where that changes the angles of the keys, all is forgotten.
    /// </summary>
    /// <returns>The tokens that were forgotten and have to be taken in again.</returns>
    public int[] Begin(int count)
    {
        var beyond = _pool.Layout.OriginalLength > 0 && Length + count > _pool.Layout.OriginalLength;
        if (beyond == BeyondOriginalLength)
            return [];
        BeyondOriginalLength = beyond;
        int[] again = [.. _tokens];
        Truncate(0);
        return again;
    }

    /// <summary>Makes room for <paramref name="count"/> more tokens, in blocks that are this sequence's alone.</summary>
    public void Reserve(int count)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var first = Length / CacheFormat.BlockTokens;
        if (first < _blocks.Count && _pool.IsShared(_blocks[first]))
            CopyBlock(first);
        var needed = CacheLayout.BlocksFor(checked(Length + count));
        if (Blocks.Length < needed)
        {
            var grown = new MemoryRegion[Math.Max(needed, 2 * Blocks.Length)];
            Blocks.CopyTo(grown, 0);
            Blocks = grown;
        }
        while (_blocks.Count < needed)
        {
            var block = _pool.Take();
            Blocks[_blocks.Count] = MemoryRegion.Of(block.Memory);
            _blocks.Add(block);
        }
    }

    /// <summary>Counts tokens whose keys and values have been written.</summary>
    public void Advance(ReadOnlySpan<int> tokens)
    {
        Length += tokens.Length;
        if (_pool.Layout.OriginalLength > 0)
            _tokens.AddRange(tokens);
    }

    /// <summary>Forgets all but the first <paramref name="length"/> tokens.</summary>
    /// <exception cref="NotSupportedException">The model is recurrent: its state can't go back to a place between.</exception>
    public void Truncate(int length)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)Length, nameof(length));
        if (length == Length)
            return;
        if (_state is not null)
        {
            if (length != 0)
                throw new NotSupportedException("A recurrent model can only go back to the start of a sequence or to a fork of it.");
            _state.Span.Clear();
        }
        for (var i = _blocks.Count - 1; i >= CacheLayout.BlocksFor(length); i--)
        {
            _pool.Release(_blocks[i]);
            _blocks.RemoveAt(i);
            Blocks[i] = default;
        }
        Length = length;
        if (_pool.Layout.OriginalLength > 0)
            _tokens.RemoveRange(length, _tokens.Count - length);
    }

    /// <summary>A second sequence with the same memory, which both keep until one writes.</summary>
    public SequenceState Fork()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var fork = new SequenceState(_pool) { Length = Length, Blocks = [.. Blocks], BeyondOriginalLength = BeyondOriginalLength };
        fork._tokens.AddRange(_tokens);
        foreach (var block in _blocks)
        {
            _pool.Share(block);
            fork._blocks.Add(block);
        }
        _state?.Span.CopyTo(fork._state!.Span);
        return fork;
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        foreach (var block in _blocks)
            _pool.Release(block);
        _blocks.Clear();
        _state?.Dispose();
    }

    private void CopyBlock(int index)
    {
        var copy = _pool.Take();
        var source = _blocks[index];
        for (var offset = 0L; offset < source.Memory.Length; offset += 1 << 30)
        {
            var length = (int)Math.Min(1 << 30, source.Memory.Length - offset);
            source.Memory.Slice(offset, length).CopyTo(copy.Memory.Slice(offset, length));
        }
        _pool.Release(source);
        _blocks[index] = copy;
        Blocks[index] = MemoryRegion.Of(copy.Memory);
    }
}
