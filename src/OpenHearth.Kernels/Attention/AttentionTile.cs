using System.Runtime.Intrinsics;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Vectors;

namespace OpenHearth.Kernels.Attention;

/// <summary>
/// The inner loop: some query rows of one key head against a range of keys, a block at a time, with the softmax
/// kept running (reference score, sum, weighted values), so that no row of scores is ever whole in memory.
/// Source: Dao et al., FlashAttention, 2022.
/// </summary>
internal unsafe struct AttentionTile : IRowKernel
{
    private const int MostGroup = 4;
    private const int TotalLanes = 16; // of the widest vectors
    private const int Block = CacheFormat.BlockTokens;

    // By how much a score may pass the reference of its row before the sums are scaled anew: a weight of e^8 is harmless,
    // and the exponentials need not wait for the largest score of their block.
    private const float Slack = 8f;

    public AttentionWorkspace Workspace;
    public AttentionShape Shape;
    public CacheFormats Format;
    public AttentionRun Sequence;
    public AttentionUnit Unit;
    public CachePlace Place;
    public bool Exact;
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
        return Round(rows * shape.KeyWidth) + (Block * shape.KeyWidth) + (Block * padded) + (rows * padded) + (rows * Block) + (rows * (TotalLanes + 1));
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
        var totals = scores + (rows * Block); // [rows, 16] lanes to be added up
        var references = totals + (rows * TotalLanes); // [rows] scores that weights are relative to
        Begin<TSimd, TVector>(queries, sums, padded, references, totals);
        var (firstSeenByAll, endSeenByAll) = (Visible(Row(Unit.Rows - 1).Token).First, Visible(Row(0).Token).End);
        for (var key = Unit.FirstKey / Block * Block; key < Unit.EndKey; key += Block)
        {
            var keyPlane = Plane(Sequence, Unit, key);
            var valuePlane = keyPlane + Format.KeyBytes(Shape);
            // Rows of tokens that come before the block see none of it.
            var unseeing = Shape.Causal ? Math.Clamp(((key - Sequence.Past) * Shape.Group) - Unit.FirstRow, 0, Unit.Rows) : 0;
            var seeing = Unit.Rows - unseeing;
            var seen = scores + (unseeing * Block);
            new Span<float>(seen, seeing * Block).Clear();
            var keys = TakesStored<TSimd, TVector>(Format.Keys, seeing) ? null
                : Format.SealsKeys ? KeySealer.Load<TSimd, TVector>(Sequence, key / Block, Unit.KeyHead, Shape, Format, Place, keyPlane, keyScratch)
                : Format.Keys.LoadKeys(keyPlane, Shape.KeyWidth, keyScratch);
            var asking = queries + (unseeing * Shape.KeyWidth);
            if (keys == null)
                Format.Keys.MultiplyKeys(asking, keyPlane, Shape.KeyWidth, seen, seeing, valuePlane);
            else
                TileProduct.MultiplyAdd<TSimd, TVector>(asking, Shape.KeyWidth, keys, Block, seen, Block, seeing, Shape.KeyWidth, Block);
            var from = Math.Max(Unit.FirstKey - key, 0);
            var to = Math.Min(Unit.EndKey - key, Block);
            var all = firstSeenByAll <= key + from && key + to <= endSeenByAll;
            for (var r = unseeing; r < Unit.Rows; r++)
            {
                var (low, high) = all ? (from, to) : Seen(r, key, from, to);
                Weigh<TSimd, TVector>(r, key, low, high, scores + (r * Block), sums + (r * padded), padded, references, totals + (r * TotalLanes));
            }
            var found = sums + (unseeing * padded);
            if (TakesStored<TSimd, TVector>(Format.Values, seeing))
            {
                var next = key + Block < Unit.EndKey ? Plane(Sequence, Unit, key + Block) : Following(valuePlane);
                Format.Values.MultiplyValues(seen, valuePlane, from, to - from, padded, found, seeing, next);
                continue;
            }
            var values = Shape.ValuesInKeys ? Transpose(keys, valueScratch, Shape.ValueWidth, padded) : Format.Values.LoadValues(valuePlane, padded, valueScratch);
            TileProduct.MultiplyAdd<TSimd, TVector>(seen + from, Block, values + ((long)from * padded), padded, found, padded, seeing, to - from, padded);
        }
        End<TSimd, TVector>(sums, padded, references, totals);
    }

    private readonly byte* Plane(in AttentionRun run, in AttentionUnit unit, int key) =>
        run.Blocks[key / Block].Pointer + Place.InBlock + (unit.KeyHead * Format.HeadBytes(Shape));

    // The first keys of the unit that this thread will probably take next.
    private readonly byte* Following(byte* otherwise)
    {
        var next = Volatile.Read(ref Workspace.NextUnit);
        if (next >= Workspace.Units.Count)
            return otherwise;
        var unit = Workspace.Units[next];
        return Plane(Workspace.Runs[unit.Run], unit, unit.FirstKey);
    }

    private readonly bool TakesStored<TSimd, TVector>(CacheFormat format, int rows) where TSimd : struct, ISimd<TVector> where TVector : struct =>
        rows <= format.MostRowsOfStored && !(Exact && format.RoundsOtherSide) && !Shape.ValuesInKeys && TSimd.Count == Vector512<float>.Count && GeneratedKernels.Refusal is null;

    private readonly void Begin<TSimd, TVector>(float* queries, float* sums, int padded, float* references, float* totals)
        where TSimd : struct, ISimd<TVector> where TVector : struct
    {
        var scale = TSimd.Broadcast(Shape.Scale);
        new Span<float>(totals, Unit.Rows * TotalLanes).Clear();
        for (var r = 0; r < Unit.Rows; r++)
        {
            var (token, head) = Row(r);
            var source = Queries + ((((long)Sequence.FirstRow + token) * Shape.Heads) + head) * Shape.KeyWidth;
            var query = queries + (r * Shape.KeyWidth);
            var i = 0;
            for (; i <= Shape.KeyWidth - TSimd.Count; i += TSimd.Count)
                TSimd.Store(TSimd.Multiply(TSimd.Load(source + i), scale), query + i);
            for (; i < Shape.KeyWidth; i++)
                query[i] = source[i] * Shape.Scale;
            var sink = Sinks != null && Unit.CountsSinks;
            references[r] = sink ? Sinks[head] : float.NegativeInfinity;
            totals[r * TotalLanes] = sink ? 1f : 0f;
        }
        new Span<float>(sums, Unit.Rows * padded).Clear();
    }

    // Turns the scores of a row into weights relative to its reference, which follows the largest score.
    private readonly void Weigh<TSimd, TVector>(int r, int key, int low, int high, float* scores, float* sums, int padded, float* references, float* totals)
        where TSimd : struct, ISimd<TVector> where TVector : struct
    {
        if (low >= high)
        {
            new Span<float>(scores, Block).Clear();
            return;
        }
        if (Shape.SoftCap > 0)
            Cap<TSimd, TVector>(scores);
        if (Slopes != null)
            Slope(r, key, low, high, scores);
        Outside(scores, low, high, float.NegativeInfinity);
        var peak = TSimd.Load(scores);
        for (var j = TSimd.Count; j < Block; j += TSimd.Count)
            peak = TSimd.Max(peak, TSimd.Load(scores + j));
        var top = TSimd.Largest(peak);
        if (!(top <= references[r] + Slack))
        {
            var keep = TSimd.Broadcast(MathF.Exp(references[r] - top));
            TSimd.Store(TSimd.Multiply(TSimd.Load(totals), keep), totals);
            for (var i = 0; i < padded; i += TSimd.Count)
                TSimd.Store(TSimd.Multiply(TSimd.Load(sums + i), keep), sums + i);
            references[r] = top;
        }
        var shift = TSimd.Broadcast(references[r]);
        for (var j = 0; j < Block; j += TSimd.Count)
            TSimd.Store(SimdMath.Exp<TSimd, TVector>(TSimd.Subtract(TSimd.Load(scores + j), shift)), scores + j);
        Outside(scores, low, high, 0f);
        var sum = TSimd.Load(totals);
        for (var j = 0; j < Block; j += TSimd.Count)
            sum = TSimd.Add(sum, TSimd.Load(scores + j));
        TSimd.Store(sum, totals);
    }

    // What a row sees of a block.
    private readonly (int Low, int High) Seen(int r, int key, int from, int to)
    {
        var (first, end) = Visible(Row(r).Token);
        return (Math.Max(first - key, from), Math.Min(end - key, to));
    }

    private readonly void Slope(int r, int key, int low, int high, float* scores)
    {
        var (token, head) = Row(r);
        for (var j = low; j < high; j++)
            scores[j] += Slopes[head] * (key + j - (Sequence.Past + token));
    }

    private static void Outside(float* scores, int low, int high, float value)
    {
        if (low > 0)
            new Span<float>(scores, low).Fill(value);
        if (high < Block)
            new Span<float>(scores + high, Block - high).Fill(value);
    }

    private readonly void Cap<TSimd, TVector>(float* scores) where TSimd : struct, ISimd<TVector> where TVector : struct
    {
        var cap = TSimd.Broadcast(Shape.SoftCap);
        for (var j = 0; j < Block; j += TSimd.Count)
            TSimd.Store(TSimd.Multiply(cap, SimdMath.Tanh<TSimd, TVector>(TSimd.Divide(TSimd.Load(scores + j), cap))), scores + j);
    }

    private readonly void End<TSimd, TVector>(float* sums, int padded, float* references, float* totals)
        where TSimd : struct, ISimd<TVector> where TVector : struct
    {
        for (var r = 0; r < Unit.Rows; r++)
        {
            var row = sums + (r * padded);
            var total = TSimd.Sum(TSimd.Load(totals + (r * TotalLanes)));
            if (Partial != null)
            {
                var partial = Partial + ((long)r * PartialWidth(Shape));
                new ReadOnlySpan<float>(row, padded).CopyTo(new Span<float>(partial, padded));
                partial[padded] = references[r];
                partial[padded + 1] = total;
                continue;
            }
            var (token, head) = Row(r);
            var target = Output + ((((long)Sequence.FirstRow + token) * Shape.Heads) + head) * Shape.ValueWidth;
            var i = 0;
            for (; i <= Shape.ValueWidth - TSimd.Count; i += TSimd.Count)
                TSimd.Store(TSimd.Divide(TSimd.Load(row + i), TSimd.Broadcast(total)), target + i);
            for (; i < Shape.ValueWidth; i++)
                target[i] = row[i] / total;
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

    private readonly (int Token, int Head) Row(int row)
    {
        var (token, member) = Math.DivRem(Unit.FirstRow + row, Shape.Group);
        return (token, (Unit.KeyHead * Shape.Group) + member);
    }

    private readonly (int First, int End) Visible(int token) => Attention.Visible(Shape, Sequence, token);
}
