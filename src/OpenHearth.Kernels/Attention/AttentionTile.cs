using System.Runtime.Intrinsics;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Vectors;

namespace OpenHearth.Kernels.Attention;

/// <summary>
/// The inner loop: some query rows of one key head against a range of keys, a block at a time, with the softmax
/// kept running (largest score, sum, weighted values), so that no row of scores is ever whole in memory.
/// Source: Dao et al., FlashAttention, 2022.
/// </summary>
internal unsafe struct AttentionTile : IRowKernel
{
    private const int MostGroup = 4;
    private const int Block = CacheFormat.BlockTokens;

    public AttentionShape Shape;
    public CacheFormats Format;
    public AttentionRun Sequence;
    public AttentionUnit Unit;
    public long Slot; // byte offset of the layer in a block
    public float* Queries; // [tokens, heads, keyWidth]
    public float* Output; // [tokens, heads, valueWidth]
    public float* Sinks; // [heads] or null
    public float* Slopes; // [heads] or null
    public float* Partial; // [rows, 2 + padded valueWidth] or null
    public float* Scratch;

    /// <summary>
    /// Most rows of a tile: those of 64 tokens, so that little is computed for keys that come after them, but not more than fit
    /// in the second-level cache. The more rows, the fewer times a block of the cache is decoded.
    /// </summary>
    public static int MostRows(AttentionShape shape) => Block * Math.Min(shape.Group, MostGroup);

    /// <summary>Floats of scratch that a tile needs.</summary>
    public static long ScratchLength(AttentionShape shape)
    {
        var (rows, padded) = (MostRows(shape), CacheFormat.Padded(shape.ValueWidth));
        return Round(rows * shape.KeyWidth) + (Block * shape.KeyWidth) + (Block * padded) + (rows * padded) + (rows * Block) + (2 * rows);
    }

    /// <summary>Floats of one unfinished row.</summary>
    public static int PartialWidth(AttentionShape shape) => CacheFormat.Padded(shape.ValueWidth) + 16;

    private static int Round(int length) => (length + 15) & ~15;

    public void Run<TSimd, TVector>(int first, int end) where TSimd : struct, ISimd<TVector> where TVector : struct
    {
        var (rows, padded) = (MostRows(Shape), CacheFormat.Padded(Shape.ValueWidth));
        var queries = Scratch; // [rows, keyWidth]
        var keyScratch = queries + Round(rows * Shape.KeyWidth);
        var valueScratch = keyScratch + (Block * Shape.KeyWidth);
        var sums = valueScratch + (Block * padded); // [rows, padded]
        var scores = sums + (rows * padded); // [rows, 64]
        var largest = scores + (rows * Block); // [rows]
        var totals = largest + rows; // [rows]
        Begin<TSimd, TVector>(queries, sums, padded, largest, totals);
        for (var key = Unit.FirstKey / Block * Block; key < Unit.EndKey; key += Block)
        {
            var keyPlane = Plane(key);
            var valuePlane = keyPlane + Format.KeyBytes(Shape);
            // Rows of tokens that come before the block see none of it.
            var unseeing = Shape.Causal ? Math.Clamp(((key - Sequence.Past) * Shape.Group) - Unit.FirstRow, 0, Unit.Rows) : 0;
            var seeing = Unit.Rows - unseeing;
            var seen = scores + (unseeing * Block);
            new Span<float>(seen, seeing * Block).Clear();
            var keys = TakesHalves<TSimd, TVector>(Format.Keys) ? null : Format.Keys.LoadKeys(keyPlane, Shape.KeyWidth, keyScratch);
            Multiply<TSimd, TVector>(
                queries + (unseeing * Shape.KeyWidth), Shape.KeyWidth, keys, keyPlane, 0, Block, seen, Block, seeing, Shape.KeyWidth, valuePlane);
            var from = Math.Max(Unit.FirstKey - key, 0);
            var to = Math.Min(Unit.EndKey - key, Block);
            for (var r = unseeing; r < Unit.Rows; r++)
                Weigh<TSimd, TVector>(r, key, from, to, scores + (r * Block), sums + (r * padded), padded, largest, totals);
            var values = Shape.ValuesInKeys ? Transpose(keys, valueScratch, Shape.ValueWidth, padded)
                : TakesHalves<TSimd, TVector>(Format.Values) ? null
                : Format.Values.LoadValues(valuePlane, padded, valueScratch);
            Multiply<TSimd, TVector>(
                seen + from, Block, values, valuePlane, from, padded, sums + (unseeing * padded), padded, seeing, to - from, key + Block < Unit.EndKey ? Plane(key + Block) : valuePlane);
        }
        End<TSimd, TVector>(sums, padded, largest, totals);
    }

    private readonly byte* Plane(int key) => Sequence.Blocks[key / Block].Pointer + Slot + (Unit.KeyHead * Format.HeadBytes(Shape));

    private readonly bool TakesHalves<TSimd, TVector>(CacheFormat format) where TSimd : struct, ISimd<TVector> where TVector : struct =>
        format == CacheFormat.F16 && !Shape.ValuesInKeys && TSimd.Count == Vector512<float>.Count && GeneratedKernels.Refusal is null;

    // The right side has been decoded, or lies in the cache in half precision; its first rows are left out.
    private static void Multiply<TSimd, TVector>(
        float* a, int strideA, float* decoded, byte* plane, int first, int strideB, float* c, int strideC, int rows, int depth, byte* next)
        where TSimd : struct, ISimd<TVector> where TVector : struct
    {
        var skipped = (long)first * strideB;
        if (decoded != null)
            TileProduct.MultiplyAdd<TSimd, TVector>(a, strideA, decoded + skipped, strideB, c, strideC, rows, depth, strideB);
        else
            HalfTileProduct.MultiplyAdd(a, strideA, (ushort*)plane + skipped, strideB, c, strideC, rows, depth, strideB, next);
    }

    private readonly void Begin<TSimd, TVector>(float* queries, float* sums, int padded, float* largest, float* totals)
        where TSimd : struct, ISimd<TVector> where TVector : struct
    {
        var scale = TSimd.Broadcast(Shape.Scale);
        for (var r = 0; r < Unit.Rows; r++)
        {
            var (token, head) = Place(r);
            var source = Queries + ((((long)Sequence.FirstRow + token) * Shape.Heads) + head) * Shape.KeyWidth;
            var query = queries + (r * Shape.KeyWidth);
            var i = 0;
            for (; i <= Shape.KeyWidth - TSimd.Count; i += TSimd.Count)
                TSimd.Store(TSimd.Multiply(TSimd.Load(source + i), scale), query + i);
            for (; i < Shape.KeyWidth; i++)
                query[i] = source[i] * Shape.Scale;
            HeadRotation.Apply(query, Shape.KeyWidth, Format.KeyPart(Shape));
            var sink = Sinks != null && Unit.CountsSinks;
            largest[r] = sink ? Sinks[head] : float.NegativeInfinity;
            totals[r] = sink ? 1f : 0f;
        }
        new Span<float>(sums, Unit.Rows * padded).Clear();
    }

    // Turns the scores of a row into weights relative to the largest score so far, and rescales what was summed before.
    private readonly void Weigh<TSimd, TVector>(int r, int key, int from, int to, float* scores, float* sums, int padded, float* largest, float* totals)
        where TSimd : struct, ISimd<TVector> where TVector : struct
    {
        var (token, head) = Place(r);
        var (firstVisible, endVisible) = Visible(token);
        var low = Math.Max(firstVisible - key, from);
        var high = Math.Min(endVisible - key, to);
        if (low >= high)
        {
            new Span<float>(scores, Block).Clear();
            return;
        }
        if (Shape.SoftCap > 0)
            Cap<TSimd, TVector>(scores);
        if (Slopes != null)
        {
            for (var j = low; j < high; j++)
                scores[j] += Slopes[head] * (key + j - (Sequence.Past + token));
        }
        new Span<float>(scores, low).Fill(float.NegativeInfinity);
        new Span<float>(scores + high, Block - high).Fill(float.NegativeInfinity);
        var peak = TSimd.Load(scores);
        for (var j = TSimd.Count; j < Block; j += TSimd.Count)
            peak = TSimd.Max(peak, TSimd.Load(scores + j));
        var top = MathF.Max(largest[r], TSimd.Largest(peak));
        var shift = TSimd.Broadcast(top);
        for (var j = 0; j < Block; j += TSimd.Count)
            TSimd.Store(SimdMath.Exp<TSimd, TVector>(TSimd.Subtract(TSimd.Load(scores + j), shift)), scores + j);
        new Span<float>(scores, low).Clear();
        new Span<float>(scores + high, Block - high).Clear();
        var sum = TSimd.Load(scores);
        for (var j = TSimd.Count; j < Block; j += TSimd.Count)
            sum = TSimd.Add(sum, TSimd.Load(scores + j));
        var keep = largest[r] == top ? 1f : MathF.Exp(largest[r] - top);
        totals[r] = (totals[r] * keep) + TSimd.Sum(sum);
        largest[r] = top;
        if (keep == 1f)
            return;
        var factor = TSimd.Broadcast(keep);
        for (var i = 0; i < padded; i += TSimd.Count)
            TSimd.Store(TSimd.Multiply(TSimd.Load(sums + i), factor), sums + i);
    }

    private readonly void Cap<TSimd, TVector>(float* scores) where TSimd : struct, ISimd<TVector> where TVector : struct
    {
        var cap = TSimd.Broadcast(Shape.SoftCap);
        for (var j = 0; j < Block; j += TSimd.Count)
            TSimd.Store(TSimd.Multiply(cap, SimdMath.Tanh<TSimd, TVector>(TSimd.Divide(TSimd.Load(scores + j), cap))), scores + j);
    }

    private readonly void End<TSimd, TVector>(float* sums, int padded, float* largest, float* totals)
        where TSimd : struct, ISimd<TVector> where TVector : struct
    {
        for (var r = 0; r < Unit.Rows; r++)
        {
            var row = sums + (r * padded);
            if (Partial != null)
            {
                var partial = Partial + ((long)r * PartialWidth(Shape));
                new ReadOnlySpan<float>(row, padded).CopyTo(new Span<float>(partial, padded));
                partial[padded] = largest[r];
                partial[padded + 1] = totals[r];
                continue;
            }
            var (token, head) = Place(r);
            var target = Output + ((((long)Sequence.FirstRow + token) * Shape.Heads) + head) * Shape.ValueWidth;
            var total = TSimd.Broadcast(totals[r]);
            var i = 0;
            for (; i <= Shape.ValueWidth - TSimd.Count; i += TSimd.Count)
                TSimd.Store(TSimd.Divide(TSimd.Load(row + i), total), target + i);
            for (; i < Shape.ValueWidth; i++)
                target[i] = row[i] / totals[r];
            HeadRotation.Apply(target, Shape.ValueWidth, Format.ValuePart(Shape));
        }
    }

    private static float* Transpose(float* keys, float* values, int width, int padded)
    {
        for (var i = 0; i < width; i++)
        {
            for (var t = 0; t < Block; t++)
                values[(t * padded) + i] = keys[(i * Block) + t];
        }
        return values;
    }

    private readonly (int Token, int Head) Place(int row)
    {
        var (token, member) = Math.DivRem(Unit.FirstRow + row, Shape.Group);
        return (token, (Unit.KeyHead * Shape.Group) + member);
    }

    private readonly (int First, int End) Visible(int token) => Attention.Visible(Shape, Sequence, token);
}
