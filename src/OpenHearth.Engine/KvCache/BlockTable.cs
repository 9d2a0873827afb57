using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.KvCache;

/// <summary>The blocks of one sequence in one group of layers, from the first that can still be seen. Not thread-safe.</summary>
internal sealed class BlockTable(BlockPool pool, int group)
{
    private readonly List<CacheBlock?> _blocks = []; // null where it went out of sight
    private int _first; // the first that is not null
    private CacheBlock? _waiting;

    /// <summary>The blocks as the attention kernel takes them; entries of blocks that are not held are empty.</summary>
    public MemoryRegion[] Regions { get; private set; } = [];

    /// <summary>The keys that wait until their block is full; empty where none do.</summary>
    public MemoryRegion Waiting => _waiting is null ? default : MemoryRegion.Of(_waiting.Memory);

    private CacheGroup Group => pool.Layout.Groups[group];

    /// <summary>Makes room for <paramref name="count"/> tokens after the first <paramref name="length"/>, in blocks that are this table's alone.</summary>
    public void Reserve(int length, int count)
    {
        var last = length / CacheFormat.BlockTokens;
        if (last < _blocks.Count && pool.IsShared(_blocks[last]!))
        {
            _blocks[last] = Own(_blocks[last]!, pool.Take(group));
            Regions[last] = MemoryRegion.Of(_blocks[last]!.Memory);
        }
        if (Group.WaitingBytes > 0)
            _waiting = _waiting is null ? pool.TakeWaiting(group) : pool.IsShared(_waiting) ? Own(_waiting, pool.TakeWaiting(group)) : _waiting;
        var needed = CacheLayout.BlocksFor(checked(length + count));
        if (Regions.Length < needed)
        {
            var grown = new MemoryRegion[Math.Max(needed, 2 * Regions.Length)];
            Regions.CopyTo(grown, 0);
            Regions = grown;
        }
        while (_blocks.Count < needed)
        {
            var block = pool.Take(group);
            Regions[_blocks.Count] = MemoryRegion.Of(block.Memory);
            _blocks.Add(block);
        }
    }

    /// <summary>True where all is held that a token after the first <paramref name="length"/> can see.</summary>
    public bool Holds(int length) => length == 0 || _first <= Group.FirstVisible(length) / CacheFormat.BlockTokens;

    /// <summary>Frees the blocks that no token after the first <paramref name="length"/> will see, nor one a little before.</summary>
    public void Forget(int length)
    {
        if (!Group.Forgets)
            return;
        var end = Group.FirstVisible(Math.Max(length - CacheGroup.Slack, 0)) / CacheFormat.BlockTokens;
        for (; _first < end; _first++)
            Free(_first);
    }

    /// <summary>Frees the blocks after the first <paramref name="length"/> tokens.</summary>
    public void Truncate(int length)
    {
        var count = CacheLayout.BlocksFor(length);
        for (var i = _blocks.Count - 1; i >= count; i--)
        {
            if (i >= _first)
                Free(i);
            _blocks.RemoveAt(i);
        }
        _first = Math.Min(_first, _blocks.Count);
        if (length > 0 || _waiting is null)
            return;
        pool.Release(_waiting);
        _waiting = null;
    }

    /// <summary>A table of the same blocks, which both keep until one writes.</summary>
    public BlockTable Fork()
    {
        var fork = new BlockTable(pool, group) { Regions = [.. Regions], _first = _first, _waiting = _waiting };
        fork._blocks.AddRange(_blocks);
        for (var i = _first; i < _blocks.Count; i++)
            pool.Share(_blocks[i]!);
        if (_waiting is not null)
            pool.Share(_waiting);
        return fork;
    }

    /// <summary>Writes the blocks that are held, and waiting keys.</summary>
    public void Save(SessionFile file)
    {
        file.Write(_first);
        for (var i = _first; i < _blocks.Count; i++)
            file.Write(_blocks[i]!.Memory);
        if (_waiting is not null)
            file.Write(_waiting.Memory);
    }

    /// <summary>Reads the blocks of a sequence of <paramref name="length"/> tokens into this empty table.</summary>
    public void Load(SessionFile file, int length)
    {
        var count = CacheLayout.BlocksFor(length);
        var sight = length == 0 || !Group.Forgets ? 0 : Group.FirstVisible(length) / CacheFormat.BlockTokens;
        var first = file.ReadInt("first block", 0, Math.Min(sight, count));
        file.Expect("blocks", ((count - first) * Group.BlockBytes) + (length > 0 ? Group.WaitingBytes : 0));
        Regions = new MemoryRegion[count];
        for (; _first < first; _first++)
            _blocks.Add(null);
        for (var i = first; i < count; i++)
        {
            var block = pool.Take(group);
            Regions[i] = MemoryRegion.Of(block.Memory);
            _blocks.Add(block);
            file.Read(block.Memory);
        }
        if (length == 0 || Group.WaitingBytes == 0)
            return;
        _waiting = pool.TakeWaiting(group);
        file.Read(_waiting.Memory);
    }

    private void Free(int index)
    {
        pool.Release(_blocks[index]!);
        _blocks[index] = null;
        Regions[index] = default;
    }

    // A copy, in place of what others have too.
    private CacheBlock Own(CacheBlock source, CacheBlock copy)
    {
        for (var offset = 0L; offset < source.Memory.Length; offset += 1 << 30)
        {
            var length = (int)Math.Min(1 << 30, source.Memory.Length - offset);
            source.Memory.Slice(offset, length).CopyTo(copy.Memory.Slice(offset, length));
        }
        pool.Release(source);
        return copy;
    }
}
