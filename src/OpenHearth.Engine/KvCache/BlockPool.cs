using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.KvCache;

/// <summary>The cache blocks of a model: those in use are counted by the sequences that share them, the others wait for the next. Thread-safe.</summary>
internal sealed class BlockPool(CacheLayout layout) : IDisposable
{
    private readonly Stack<CacheBlock> _free = [];
    private bool _closed;

    /// <summary>How blocks are divided.</summary>
    public CacheLayout Layout { get; } = layout;

    /// <summary>Blocks in use.</summary>
    public int InUse { get; private set; }

    /// <summary>A block with one user; what is in it is left from its last.</summary>
    public CacheBlock Take()
    {
        lock (_free)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            var block = _free.TryPop(out var used) ? used : new CacheBlock(new NativeBuffer<byte>(Layout.BlockBytes));
            block.Users = 1;
            InUse++;
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
            if (_closed)
                block.Memory.Dispose();
            else
                _free.Push(block);
        }
    }

    /// <summary>Frees the waiting blocks; those in use are freed when they are released.</summary>
    public void Dispose()
    {
        lock (_free)
        {
            _closed = true;
            while (_free.TryPop(out var block))
                block.Memory.Dispose();
        }
    }
}

/// <summary>Keys and values of 64 tokens, for all layers.</summary>
internal sealed class CacheBlock(NativeBuffer<byte> memory)
{
    /// <summary>The bytes, divided by <see cref="CacheLayout"/>.</summary>
    public NativeBuffer<byte> Memory { get; } = memory;

    /// <summary>Sequences that use the block; changed by the pool alone.</summary>
    public int Users { get; set; }
}
