using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Kernels.Attention;

namespace OpenHearth.Engine.KvCache;

/// <summary>How a block of the cache is divided among the attention layers of a model. A block holds 64 tokens of one sequence.</summary>
internal sealed class CacheLayout
{
    private readonly long[] _offsets;

    /// <summary>Lays out a model's layers one after the other.</summary>
    public CacheLayout(ModelGraph graph, CacheFormats formats)
    {
        Formats = formats;
        StateLength = graph.StateLength;
        OriginalLength = graph.Nodes.OfType<RopeAnglesOp>().Select(node => node.OriginalLength).DefaultIfEmpty().Max();
        _offsets = new long[graph.Attention.Count];
        for (var i = 0; i < _offsets.Length; i++)
        {
            _offsets[i] = BlockBytes;
            BlockBytes = checked(BlockBytes + formats.BlockBytes(graph.Attention[i]));
        }
    }

    /// <summary>How numbers are stored.</summary>
    public CacheFormats Formats { get; }

    /// <summary>Bytes of a block.</summary>
    public long BlockBytes { get; }

    /// <summary>Floats of recurrent state that a sequence carries beside its blocks.</summary>
    public int StateLength { get; }

    /// <summary>Tokens beyond which all keys of a sequence turn by other angles than before (long RoPE); 0 where they never do.</summary>
    public int OriginalLength { get; }

    /// <summary>Byte offset of a layer in every block.</summary>
    public long Offset(CacheSlot slot) => _offsets[slot.Index];

    /// <summary>Blocks for a number of tokens.</summary>
    public static int BlocksFor(int tokens) => (int)(((long)tokens + CacheFormat.BlockTokens - 1) / CacheFormat.BlockTokens);

    /// <summary>Bytes that a sequence of this many tokens takes, copies of recurrent state included.</summary>
    public long BytesFor(int tokens) => checked((BlocksFor(tokens) * BlockBytes) + ((1L + StateHistory.CopiesFor(tokens)) * StateLength * sizeof(float)));
}
