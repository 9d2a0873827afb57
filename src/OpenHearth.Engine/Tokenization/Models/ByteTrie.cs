using System.Runtime.CompilerServices;

namespace OpenHearth.Engine.Tokenization.Models;

/// <summary>
/// A trie over byte strings: an open-addressing table from (node, byte) to node. Node 0 is the root. Read-only once
/// filled, thread-safe then.
/// </summary>
internal sealed class ByteTrie
{
    private readonly List<int> _values = [-1];
    private ulong[] _slots = new ulong[1024];
    private int _used;

    /// <summary>The value of a node, or -1.</summary>
    public int Value(int node) => _values[node];

    /// <summary>Adds a string; one that is there already gets the new value.</summary>
    public void Add(ReadOnlySpan<byte> key, int value)
    {
        var node = 0;
        foreach (var part in key)
            node = Step(node, part) is var next and >= 0 ? next : Grow(node, part);
        _values[node] = value;
    }

    /// <summary>The child of a node, or -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Step(int node, byte value)
    {
        var key = (uint)node << 8 | value;
        var slots = _slots;
        for (var slot = Hash(key) & slots.Length - 1; ; slot = slot + 1 & slots.Length - 1)
        {
            var entry = slots[slot];
            if ((uint)(entry >> 32) == key && (uint)entry != 0)
                return (int)(uint)entry;
            if ((uint)entry == 0)
                return -1;
        }
    }

    /// <summary>The length of the longest string that the text starts with, and its value; 0 where there is none.</summary>
    public int Longest(ReadOnlySpan<byte> text, out int value)
    {
        var (node, length) = (0, 0);
        value = -1;
        for (var i = 0; i < text.Length; i++)
        {
            node = Step(node, text[i]);
            if (node < 0)
                break;
            if (_values[node] >= 0)
                (length, value) = (i + 1, _values[node]);
        }
        return length;
    }

    private int Grow(int parent, byte value)
    {
        if (++_used * 2 > _slots.Length)
            Rehash();
        var node = _values.Count;
        if (node >= 1 << 24)
            throw new Files.ModelFormatException("The vocabulary has more than 16 million characters.");
        _values.Add(-1);
        Insert((ulong)((uint)parent << 8 | value) << 32 | (uint)node);
        return node;
    }

    private void Rehash()
    {
        var old = _slots;
        _slots = new ulong[old.Length * 4];
        foreach (var entry in old)
        {
            if ((uint)entry != 0)
                Insert(entry);
        }
    }

    private void Insert(ulong entry)
    {
        var slot = Hash((uint)(entry >> 32)) & _slots.Length - 1;
        while ((uint)_slots[slot] != 0)
            slot = slot + 1 & _slots.Length - 1;
        _slots[slot] = entry;
    }

    private static int Hash(uint key)
    {
        var hash = key * 0x9E3779B97F4A7C15;
        return (int)(hash >> 32 ^ hash >> 52) & int.MaxValue;
    }
}
