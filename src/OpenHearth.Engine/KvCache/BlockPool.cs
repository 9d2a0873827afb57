using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.KvCache;

/// <summary>The cache blocks of a model: those in use are counted by the sequences that share them, the others wait for the next. Thread-safe.</summary>
internal sealed class BlockPool(CacheLayout layout) : IDisposable
{
    private readonly Stack<CacheBlock>[] _free = [.. Enumerable.Range(0, 2 * layout.Groups.Count).Select(_ => new Stack<CacheBlock>())]; // blocks by group, then waiting keys by group
    private bool _closed;

    /// <summary>How blocks are divided.</summary>
    public CacheLayout Layout { get; } = layout;

    /// <summary>Blocks in use.</summary>
    public int InUse { get; private set; }

    /// <summary>Bytes of the blocks in use.</summary>
    public long BytesInUse { get; private set; }

    /// <summary>A block of a group with one user; zero, so that a saved session holds nothing of others.</summary>
    public CacheBlock Take(int group) => Take(group, Layout.Groups[group].BlockBytes);

    /// <summary>Room for the waiting keys of a sequence in a group; otherwise the same.</summary>
    public CacheBlock TakeWaiting(int group) => Take(Layout.Groups.Count + group, Layout.Groups[group].WaitingBytes);

    /// <summary>One more sequence uses a block.</summary>
    public void Share(CacheBlock block)
    {
        lock (_free)
            block.Users++;
    }

    /// <summary>True where more than one sequence uses a block, so that it must be copied before it is written to.</summary>
    public bool IsShared(CacheBlock block)
    {
        lock (_free)
            return block.Users > 1;
    }

    /// <summary>One sequence no longer uses a block.</summary>
    public void Release(CacheBlock block)
    {
        lock (_free)
        {
            if (--block.Users > 0)
                return;
            InUse--;
            BytesInUse -= block.Memory.Length;
            if (_closed)
                block.Memory.Dispose();
            else
                _free[block.Kind].Push(block);
        }
    }

    /// <summary>Frees the waiting blocks; those in use are freed when they are released.</summary>
    public void Dispose()
    {
        lock (_free)
        {
            _closed = true;
            foreach (var free in _free)
            {
                while (free.TryPop(out var block))
                    block.Memory.Dispose();
            }
        }
    }

    private CacheBlock Take(int kind, long bytes)
    {
        lock (_free)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            var block = _free[kind].TryPop(out var used) ? used : new CacheBlock(kind, new NativeBuffer<byte>(bytes));
            if (block.Used)
                Clear(block.Memory);
            (block.Users, block.Used) = (1, true);
            InUse++;
            BytesInUse += block.Memory.Length;
            return block;
        }
    }

    private static void Clear(NativeBuffer<byte> memory)
    {
        for (var at = 0L; at < memory.Length; at += 1 << 30)
            memory.Slice(at, (int)Math.Min(1 << 30, memory.Length - at)).Clear();
    }
}

/// <summary>Keys and values of 64 tokens, or a sequence's waiting keys, for all layers of a group.</summary>
internal sealed class CacheBlock(int kind, NativeBuffer<byte> memory)
{
    /// <summary>Index among the kinds of blocks.</summary>
    public int Kind { get; } = kind;

    /// <summary>The bytes, divided by <see cref="CacheLayout"/>.</summary>
    public NativeBuffer<byte> Memory { get; } = memory;

    /// <summary>True once somebody has had it.</summary>
    public bool Used { get; set; }

    /// <summary>Sequences that use the block; changed by the pool alone.</summary>
    public int Users { get; set; }
}
