using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.KvCache;

/// <summary>The cache blocks of a model: those in use are counted by the sequences that share them, the others wait for the next. Thread-safe.</summary>
internal sealed class BlockPool(CacheLayout layout) : IDisposable
{
    private readonly Stack<CacheBlock>[] _free = [.. layout.Groups.Select(_ => new Stack<CacheBlock>())];
    private bool _closed;

    /// <summary>How blocks are divided.</summary>
    public CacheLayout Layout { get; } = layout;

    /// <summary>Blocks in use.</summary>
    public int InUse { get; private set; }

    /// <summary>Bytes of the blocks in use.</summary>
    public long BytesInUse { get; private set; }

    /// <summary>A block of a group with one user; zero, so that a saved session holds nothing of others.</summary>
    public CacheBlock Take(int group)
    {
        lock (_free)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            var block = _free[group].TryPop(out var used) ? used : new CacheBlock(group, new NativeBuffer<byte>(Layout.Groups[group].BlockBytes));
            if (block.Used)
                Clear(block.Memory);
            (block.Users, block.Used) = (1, true);
            InUse++;
            BytesInUse += block.Memory.Length;
            return block;
        }
    }

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
                _free[block.Group].Push(block);
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

    private static void Clear(NativeBuffer<byte> memory)
    {
        for (var at = 0L; at < memory.Length; at += 1 << 30)
            memory.Slice(at, (int)Math.Min(1 << 30, memory.Length - at)).Clear();
    }
}

/// <summary>Keys and values of 64 tokens, for all layers of a group.</summary>
internal sealed class CacheBlock(int group, NativeBuffer<byte> memory)
{
    /// <summary>Index of the group.</summary>
    public int Group { get; } = group;

    /// <summary>The bytes, divided by <see cref="CacheLayout"/>.</summary>
    public NativeBuffer<byte> Memory { get; } = memory;

    /// <summary>True once somebody has had it.</summary>
    public bool Used { get; set; }

    /// <summary>Sequences that use the block; changed by the pool alone.</summary>
    public int Users { get; set; }
}
