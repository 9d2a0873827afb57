using System.Runtime.CompilerServices;
using OpenHearth.Engine.Files;

namespace OpenHearth.Engine.Tokenization.Models;

/// <summary>
/// The merges of a byte-pair encoding: a pair of ids gives the merge's rank, the rank gives the id of the result.
/// One word of 64 bits a slot: left id (21 bits), right id (21 bits), rank (22 bits). Read-only once filled.
/// </summary>
internal sealed class MergeTable
{
    /// <summary>Stands for a symbol that is no token and never merges.</summary>
    public const int NoToken = Vocabulary.MaxCount;

    private const int MaxMerges = (1 << 22) - 1;
    private const ulong Empty = ulong.MaxValue;

    private readonly ulong[] _slots;
    private readonly int[] _results;
    private readonly int _shift;

    /// <summary>Room for a number of merges, each with a rank of its own.</summary>
    /// <exception cref="ModelFormatException">There are too many.</exception>
    public MergeTable(int capacity) : this(capacity, capacity)
    {
    }

    /// <summary>Room for a number of merges that have some ranks.</summary>
    /// <exception cref="ModelFormatException">There are too many.</exception>
    public MergeTable(int capacity, int ranks)
    {
        if (capacity > MaxMerges)
            throw new ModelFormatException($"The tokenizer has {capacity} merges; at most {MaxMerges} are supported.");
        var size = System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(capacity, 8) * 2);
        _shift = 64 - System.Numerics.BitOperations.Log2(size);
        _slots = new ulong[size];
        Array.Fill(_slots, Empty);
        _results = new int[ranks];
    }

    /// <summary>Merges added so far.</summary>
    public int Count { get; private set; }

    /// <summary>Adds a merge that ranks after all others; a pair that is there already keeps its rank.</summary>
    public void Add(int left, int right, int result) => Add(left, right, result, Count);

    /// <summary>Adds a merge with a rank; merges of one rank have one result.</summary>
    public void Add(int left, int right, int result, int rank)
    {
        var slot = Slot(left, right);
        if (_slots[slot] == Empty)
            _slots[slot] = Pack(left, right) | (uint)rank;
        _results[rank] = result;
        Count++;
    }

    /// <summary>The rank of a pair, or -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Rank(int left, int right)
    {
        var packed = _slots[Slot(left, right)];
        return packed == Empty ? -1 : (int)(packed & MaxMerges);
    }

    /// <summary>The id that a merge gives.</summary>
    public int Result(int rank) => _results[rank];

    private static ulong Pack(int left, int right) => (ulong)(uint)left << 43 | (ulong)(uint)right << 22;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Slot(int left, int right)
    {
        var key = Pack(left, right);
        var hash = (key >> 22) * 0x9E3779B97F4A7C15;
        var slot = (int)((hash ^ hash >> 31) * 0xBF58476D1CE4E5B9 >> _shift);
        while (_slots[slot] is var packed && packed != Empty && (packed ^ key) >> 22 != 0)
            slot = slot + 1 & _slots.Length - 1;
        return slot;
    }

    /// <summary>The table as the queue asks it.</summary>
    public readonly struct Pairs(MergeTable table) : IMergePairs
    {
        public int Find(int left, int right, int leftStart, int end) => table.Rank(left, right);

        public uint Priority(int merge) => (uint)merge;

        public int Result(int merge) => table.Result(merge);
    }
}
