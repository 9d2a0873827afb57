using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.KvCache;

/// <summary>
/// How the cache is divided among the attention layers of a model. Layers that see equally far back form a group; a block
/// holds 64 tokens of one sequence in all layers of a group.
/// </summary>
internal sealed class CacheLayout
{
    private readonly int _step;
    private readonly (int Group, CachePlace Place)[] _slots;

    /// <summary>Lays out a model's layers one after the other.</summary>
    /// <param name="graph">The model.</param>
    /// <param name="formats">How numbers are stored.</param>
    /// <param name="step">Tokens of a step at most.</param>
    public CacheLayout(ModelGraph graph, CacheFormats formats, int step)
    {
        Formats = formats;
        _step = step;
        StateLength = graph.StateLength;
        OriginalLength = graph.Nodes.OfType<RopeAnglesOp>().Select(node => node.OriginalLength).DefaultIfEmpty().Max();
        _slots = new (int, CachePlace)[graph.Attention.Count];
        var turns = new Dictionary<(RopeAnglesOp, int, RotaryPairing), KeyTurn>();
        var groups = new List<CacheGroup>();
        for (var i = 0; i < _slots.Length; i++)
        {
            var (window, chunk) = Sight(graph, i);
            var group = groups.FindIndex(group => group.Window == window && group.Chunk == chunk);
            if (group < 0)
            {
                group = groups.Count;
                groups.Add(new CacheGroup(window, chunk, 0));
            }
            var shape = graph.Attention[i];
            _slots[i] = (group, new CachePlace(groups[group].BlockBytes, groups[group].WaitingBytes, formats.SealsKeys ? Turn(graph, i, turns) : null));
            groups[group] = groups[group] with
            {
                BlockBytes = checked(groups[group].BlockBytes + formats.BlockBytes(shape)),
                WaitingBytes = checked(groups[group].WaitingBytes + formats.WaitingBytes(shape)),
            };
        }
        Groups = groups;
        Forgets = groups.Exists(group => group.Forgets);
    }

    /// <summary>How numbers are stored.</summary>
    public CacheFormats Formats { get; }

    /// <summary>The kinds of blocks.</summary>
    public IReadOnlyList<CacheGroup> Groups { get; }

    /// <summary>True where some layers do not see all of a sequence.</summary>
    public bool Forgets { get; }

    /// <summary>True where keys of whole blocks are rounded together, so that a sequence can only go back to where a block begins.</summary>
    public bool Seals => Formats.SealsKeys && Groups.Count > 0;

    /// <summary>Floats of recurrent state that a sequence carries beside its blocks.</summary>
    public int StateLength { get; }

    /// <summary>Tokens beyond which all keys of a sequence turn by other angles than before (long RoPE); 0 where they never do.</summary>
    public int OriginalLength { get; }

    /// <summary>Which blocks a layer is in.</summary>
    public int Group(CacheSlot slot) => _slots[slot.Index].Group;

    /// <summary>Where a layer is among the others of its group.</summary>
    public CachePlace Place(CacheSlot slot) => _slots[slot.Index].Place;

    /// <summary>Blocks for a number of tokens.</summary>
    public static int BlocksFor(int tokens) => (int)(((long)tokens + CacheFormat.BlockTokens - 1) / CacheFormat.BlockTokens);

    /// <summary>Bytes of keys and values that a sequence of this many tokens takes at most while it grows.</summary>
    public long BlockBytesFor(int tokens) => Groups.Sum(group => checked((group.BlocksFor(tokens, _step) * group.BlockBytes) + group.WaitingBytes));

    /// <summary>Bytes of recurrent state that such a sequence takes, the copies to go back to included.</summary>
    public long StateBytesFor(int tokens) => checked((1L + StateHistory.CopiesFor(tokens)) * StateLength * sizeof(float));

    /// <summary>Bytes that a sequence of this many tokens takes.</summary>
    public long BytesFor(int tokens) => checked(BlockBytesFor(tokens) + StateBytesFor(tokens));

    /// <summary>Tokens of the longest sequence that takes no more than so many bytes.</summary>
    public int LongestWithin(long bytes)
    {
        var (shortest, tooLong) = (0, int.MaxValue - CacheFormat.BlockTokens);
        while (tooLong - shortest > 1)
        {
            var middle = shortest + ((tooLong - shortest) / 2);
            (shortest, tooLong) = BytesFor(middle) <= bytes ? (middle, tooLong) : (shortest, middle);
        }
        return shortest;
    }

    // How the keys of a slot turn, where they come straight out of rotary embedding.
    private static KeyTurn? Turn(ModelGraph graph, int slot, Dictionary<(RopeAnglesOp, int, RotaryPairing), KeyTurn> turns)
    {
        var keys = graph.Nodes.OfType<AttentionOp>().First(node => node.Slot.Index == slot && node.Inputs.Length > 1).Inputs[1];
        if (keys is not RopeOp { Inputs: [_, RopeAnglesOp angles] } rope)
            return null;
        var key = (angles, rope.Offset, rope.Pairing);
        return turns.TryGetValue(key, out var turn) ? turn : turns[key] = new KeyTurn(angles.Frequencies.Inverse, rope.Offset, rope.Pairing);
    }

    // What the layers that read a slot see at most. Where tokens see those after them, all of a text is one step.
    private static (int Window, int Chunk) Sight(ModelGraph graph, int slot)
    {
        AttentionShape[] readers = [graph.Attention[slot], .. graph.Nodes.OfType<AttentionOp>().Where(node => node.Slot.Index == slot).Select(node => node.Shape)];
        int Widest(Func<AttentionShape, int> limit) => readers.Any(shape => !shape.Causal || limit(shape) == 0) ? 0 : readers.Max(limit);
        return (Widest(shape => shape.Window), Widest(shape => shape.Chunk));
    }
}
