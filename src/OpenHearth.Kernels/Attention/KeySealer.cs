using OpenHearth.Kernels.Vectors;

namespace OpenHearth.Kernels.Attention;

/// <summary>
/// Stores the keys of a run where whole blocks are rounded at once. They wait in half precision until their block is full.
/// The first key of a sequence stays there: most attend to it, and its channels are so large that a block would have to
/// stretch to it. Rows are key heads, as blocks must be filled one after the other.
/// Source of the first key's part: Xiao et al., StreamingLLM, 2024.
/// </summary>
internal unsafe struct KeySealer : IRowKernel
{
    private const int Block = CacheFormat.BlockTokens;

    public AttentionShape Shape;
    public CacheFormats Format;
    public CachePlace Place;
    public AttentionRun Sequence;
    public float* Keys; // [tokens, keyHeads, keyWidth]

    public readonly void Run<TSimd, TVector>(int first, int end) where TSimd : struct, ISimd<TVector> where TVector : struct
    {
        for (var head = first; head < end; head++)
        {
            var waiting = Waiting(Sequence, head, Shape, Format, Place);
            for (var t = 0; t < Sequence.Count; t++)
            {
                var (block, token) = Math.DivRem(Sequence.Past + t, Block);
                Format.Keys.StoreKey(Keys + ((((long)(Sequence.FirstRow + t) * Shape.KeyHeads) + head) * Shape.KeyWidth), waiting, token, Shape.KeyWidth);
                if (token < Block - 1)
                    continue;
                if (block == 0)
                    KeepFirst((ushort*)waiting);
                var plane = Sequence.Blocks[block].Pointer + Place.InBlock + (head * Format.HeadBytes(Shape));
                Format.Keys.SealKeys(waiting, plane, Shape.KeyWidth, Place.Turn, block == 0 ? 1 : 0);
            }
        }
    }

    /// <summary>The keys of a block that a run sees, when all its own have been stored.</summary>
    /// <param name="run">The run.</param>
    /// <param name="block">Index of the block.</param>
    /// <param name="head">Key head.</param>
    /// <param name="shape">The layer.</param>
    /// <param name="format">Formats of the cache.</param>
    /// <param name="place">Where the layer is.</param>
    /// <param name="plane">The plane of the block.</param>
    /// <param name="scratch">[width, 64 tokens]</param>
    public static float* Load<TSimd, TVector>(in AttentionRun run, int block, int head, AttentionShape shape, CacheFormats format, CachePlace place, byte* plane, float* scratch)
        where TSimd : struct, ISimd<TVector> where TVector : struct
    {
        var waiting = Waiting(run, head, shape, format, place);
        if (block == (run.Past + run.Count) / Block)
            return CacheFormat.F16.LoadKeys(waiting, shape.KeyWidth, scratch);
        format.Keys.LoadKeys(plane, shape.KeyWidth, scratch);
        if (place.Turn is not null)
            new KeyTurn.Forth { Turn = place.Turn, Keys = scratch }.Run<TSimd, TVector>(0, place.Turn.Pairs);
        var kept = (ushort*)waiting + (shape.KeyWidth * Block);
        for (var i = 0; i < shape.KeyWidth && block == 0; i++)
            scratch[i * Block] = (float)BitConverter.UInt16BitsToHalf(kept[i]);
        return scratch;
    }

    private static byte* Waiting(in AttentionRun run, int head, AttentionShape shape, CacheFormats format, CachePlace place) =>
        run.Waiting.Pointer + place.Waiting + (head * format.WaitingHeadBytes(shape));

    private readonly void KeepFirst(ushort* waiting)
    {
        for (var i = 0; i < Shape.KeyWidth; i++)
            waiting[(Shape.KeyWidth * Block) + i] = waiting[i * Block];
    }
}
