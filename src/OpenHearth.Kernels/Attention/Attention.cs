using OpenHearth.Kernels.Cpu;
using OpenHearth.Kernels.Elementwise;
using OpenHearth.Kernels.MatMul;
using OpenHearth.Kernels.Threading;
using OpenHearth.Kernels.Vectors;

namespace OpenHearth.Kernels.Attention;

/// <summary>
/// softmax(q · kᵀ · scale + bias) · v over a paged cache, for grouped heads, many sequences a call.
/// How the work is cut depends on its shape alone, so results do not depend on the number of threads.
/// </summary>
public static unsafe class Attention
{
    // Few rows against many keys are cut along the keys as well, or a second thread would have nothing to do.
    private const int SplitKeys = 1024;
    private const int SplitRows = 16;

    /// <summary>Writes the keys and values of a step's tokens into the cache.</summary>
    /// <param name="pool">Runs the parts.</param>
    /// <param name="shape">The layer.</param>
    /// <param name="format">Formats of the cache.</param>
    /// <param name="place">Where the layer is.</param>
    /// <param name="runs">The runs of the step.</param>
    /// <param name="keys">[tokens, keyHeads, keyWidth]</param>
    /// <param name="values">[tokens, keyHeads, valueWidth]; empty where values are in the keys</param>
    public static void Store(ComputePool pool, AttentionShape shape, CacheFormats format, CachePlace place, ReadOnlySpan<AttentionRun> runs, ReadOnlySpan<float> keys, ReadOnlySpan<float> values)
    {
        fixed (float* pk = keys, pv = values)
        {
            foreach (ref readonly var run in runs)
            {
                CheckRun(shape, format, place, run, run.Past);
                Check.Rows(keys.Length, run.FirstRow + run.Count, shape.KeyHeads * shape.KeyWidth);
                if (!shape.ValuesInKeys)
                    Check.Rows(values.Length, run.FirstRow + run.Count, shape.KeyHeads * shape.ValueWidth);
                if (format.SealsKeys)
                    RowKernel.Run(pool, new KeySealer { Shape = shape, Format = format, Place = place, Sequence = run, Keys = pk }, shape.KeyHeads, run.Count * shape.KeyWidth * 4);
                RowKernel.Run(pool, new Writer { Shape = shape, Format = format, Place = place, Sequence = run, Keys = pk, Values = pv }, run.Count, shape.KeyHeads * (shape.KeyWidth + shape.ValueWidth) * 4);
            }
        }
    }

    /// <summary>Attends from a step's tokens, whose keys and values have been stored, to all that they may see.</summary>
    /// <param name="pool">Runs the parts.</param>
    /// <param name="workspace">Memory to work in.</param>
    /// <param name="shape">The layer.</param>
    /// <param name="format">Formats of the cache.</param>
    /// <param name="place">Where the layer is.</param>
    /// <param name="runs">The runs of the step.</param>
    /// <param name="queries">[tokens, heads, keyWidth]</param>
    /// <param name="sinks">[heads] a score that no value belongs to, or empty</param>
    /// <param name="slopes">[heads] ALiBi: a score loses slope times distance; or empty</param>
    /// <param name="output">[tokens, heads, valueWidth]</param>
    /// <param name="precision">Whether queries and weights may be rounded where the cache is.</param>
    public static void Forward(
        ComputePool pool, AttentionWorkspace workspace, AttentionShape shape, CacheFormats format, CachePlace place, ReadOnlySpan<AttentionRun> runs,
        ReadOnlySpan<float> queries, ReadOnlySpan<float> sinks, ReadOnlySpan<float> slopes, Span<float> output, Precision precision)
    {
        Check.Row(sinks.Length, shape.Heads);
        Check.Row(slopes.Length, shape.Heads);
        var partials = Cut(workspace.Units, shape, format, place, runs, queries.Length, output.Length);
        var scratch = AttentionTile.ScratchLength(shape);
        var rowWidth = AttentionTile.PartialWidth(shape);
        fixed (float* pq = queries, ps = sinks, pl = slopes, po = output)
        {
            workspace.Runs.Clear();
            workspace.Runs.AddRange(runs);
            var job = new Job
            {
                Workspace = workspace,
                Level = pool.Level,
                Scratch = workspace.Scratch(scratch * pool.Threads).Pointer,
                ScratchLength = scratch,
                Partials = workspace.Partials(partials * rowWidth).Pointer,
                Tile = new AttentionTile { Workspace = workspace, Shape = shape, Format = format, Place = place, Exact = precision == Precision.Exact, Queries = pq, Output = po, Sinks = ps, Slopes = pl },
            };
            workspace.NextUnit = 0;
            if (workspace.Units.Count == 1 || Work(workspace.Units, shape) < 128 * 1024)
                job.Execute(0, 1);
            else
                pool.Run(ref job);
            if (partials > 0)
                Merge(workspace, shape, format.ValuePart(shape), job.Partials, rowWidth, po);
        }
    }

    /// <summary>The keys that a token of a run may see, of which there is always one.</summary>
    internal static (int First, int End) Visible(AttentionShape shape, in AttentionRun run, int token)
    {
        var position = run.Past + token;
        var first = shape.Window > 0 ? Math.Max(position - shape.Window + 1, 0) : 0;
        if (shape.Chunk > 0)
            first = Math.Max(first, position / shape.Chunk * shape.Chunk);
        if (shape.Causal)
            return (first, position + 1);
        var end = run.Past + run.Count;
        return (first, shape.Window > 0 ? Math.Min(position + shape.Window, end) : end);
    }

    /// <summary>Unfinished rows of one token after so many others.</summary>
    internal static long PartialRows(AttentionShape shape, int tokens) =>
        shape.Group <= SplitRows && tokens > SplitKeys ? (long)shape.Heads * ((tokens / SplitKeys) + 1) : 0;

    private static long Cut(List<AttentionUnit> units, AttentionShape shape, CacheFormats format, CachePlace place, ReadOnlySpan<AttentionRun> runs, int queries, int output)
    {
        units.Clear();
        var tileRows = AttentionTile.MostRows(shape);
        var partials = 0L;
        for (var i = 0; i < runs.Length; i++)
        {
            ref readonly var run = ref runs[i];
            CheckRun(shape, format, place, run, run.Count > 0 ? Visible(shape, run, 0).First : 0);
            Check.Rows(queries, run.FirstRow + run.Count, shape.Heads * shape.KeyWidth);
            Check.Rows(output, run.FirstRow + run.Count, shape.Heads * shape.ValueWidth);
            var rows = run.Count * shape.Group;
            // The last rows see most keys: they come first, so that no thread is left alone with them.
            for (var row = (rows - 1) / tileRows * tileRows; row >= 0; row -= tileRows)
            {
                var count = Math.Min(tileRows, rows - row);
                var first = Visible(shape, run, row / shape.Group).First;
                var end = Visible(shape, run, (row + count - 1) / shape.Group).End;
                var split = rows <= SplitRows && end - first > SplitKeys;
                for (var head = 0; head < shape.KeyHeads; head++)
                {
                    var unit = new AttentionUnit { Run = i, KeyHead = head, FirstRow = row, Rows = count, FirstKey = first, EndKey = end, CountsSinks = true, Partial = -1 };
                    if (!split)
                    {
                        units.Add(unit);
                        continue;
                    }
                    for (var key = first; key < end; key = unit.EndKey)
                    {
                        unit.FirstKey = key;
                        unit.EndKey = Math.Min((key / SplitKeys * SplitKeys) + SplitKeys, end);
                        unit.Partial = partials;
                        partials += count;
                        units.Add(unit);
                        unit.CountsSinks = false;
                    }
                }
            }
        }
        return partials;
    }

    private static long Work(List<AttentionUnit> units, AttentionShape shape)
    {
        var work = 0L;
        foreach (var unit in units)
            work += (long)unit.Rows * (unit.EndKey - unit.FirstKey) * shape.KeyWidth;
        return work;
    }

    // Units that share rows follow each other; each holds the sums relative to its own reference score.
    private static void Merge(AttentionWorkspace workspace, AttentionShape shape, int part, float* partials, int rowWidth, float* output)
    {
        var padded = CacheFormat.Padded(shape.ValueWidth);
        var units = workspace.Units;
        for (var i = 0; i < units.Count;)
        {
            var unit = units[i];
            var next = i + 1;
            while (next < units.Count && unit.Partial >= 0 && units[next].Run == unit.Run && units[next].KeyHead == unit.KeyHead && units[next].FirstRow == unit.FirstRow)
                next++;
            for (var r = 0; r < unit.Rows && unit.Partial >= 0; r++)
            {
                var (token, member) = Math.DivRem(unit.FirstRow + r, shape.Group);
                var target = output + ((((long)workspace.Runs[unit.Run].FirstRow + token) * shape.Heads) + (unit.KeyHead * shape.Group) + member) * shape.ValueWidth;
                var row = partials + ((unit.Partial + r) * rowWidth);
                MergeRow(row, (long)unit.Rows * rowWidth, next - i, padded, target, shape.ValueWidth);
                HeadRotation.Apply(target, shape.ValueWidth, part);
            }
            i = next;
        }
    }

    private static void MergeRow(float* rows, long stride, int count, int padded, float* target, int width)
    {
        var top = float.NegativeInfinity;
        for (var s = 0; s < count; s++)
            top = MathF.Max(top, rows[(s * stride) + padded]);
        var total = 0f;
        new Span<float>(target, width).Clear();
        for (var s = 0; s < count; s++)
        {
            var row = rows + (s * stride);
            var factor = MathF.Exp(row[padded] - top);
            total += row[padded + 1] * factor;
            for (var i = 0; i < width; i++)
                target[i] += row[i] * factor;
        }
        for (var i = 0; i < width; i++)
            target[i] /= total;
    }

    private static void CheckRun(AttentionShape shape, CacheFormats format, CachePlace place, in AttentionRun run, int firstKey)
    {
        var blocks = (run.Past + run.Count + CacheFormat.BlockTokens - 1) / CacheFormat.BlockTokens;
        if (run.Count < 1 || run.Past < 0 || run.FirstRow < 0 || run.Blocks.Length < blocks)
            throw new ArgumentException($"A run of {run.Count} tokens after {run.Past} needs {blocks} cache blocks, {run.Blocks.Length} are there.");
        for (var i = Math.Max(firstKey, 0) / CacheFormat.BlockTokens; i < blocks; i++)
        {
            if (run.Blocks[i].Length < place.InBlock + format.BlockBytes(shape))
                throw new ArgumentException($"Cache block {i} has {run.Blocks[i].Length} bytes, the layer ends at {place.InBlock + format.BlockBytes(shape)}.");
        }
        if (format.SealsKeys && run.Waiting.Length < place.Waiting + format.WaitingBytes(shape))
            throw new ArgumentException($"There are {run.Waiting.Length} bytes for waiting keys, the layer ends at {place.Waiting + format.WaitingBytes(shape)}.");
        if (place.Turn is not null && place.Turn.End > shape.KeyWidth)
            throw new ArgumentException($"{place.Turn.End} values of a key are to turn, it has {shape.KeyWidth}.");
    }

    private struct Job : IJob
    {
        public AttentionWorkspace Workspace;
        public CpuLevel Level;
        public float* Scratch;
        public long ScratchLength;
        public float* Partials;
        public AttentionTile Tile;

        public readonly void Execute(int part, int parts)
        {
            var tile = Tile;
            tile.Scratch = Scratch + (part * ScratchLength);
            var units = Workspace.Units;
            for (var i = Interlocked.Increment(ref Workspace.NextUnit) - 1; i < units.Count; i = Interlocked.Increment(ref Workspace.NextUnit) - 1)
            {
                tile.Unit = units[i];
                tile.Sequence = Workspace.Runs[tile.Unit.Run];
                tile.Partial = tile.Unit.Partial < 0 ? null : Partials + (tile.Unit.Partial * AttentionTile.PartialWidth(tile.Shape));
                RowKernel.RunWidest(Level, ref tile, 0, 1);
            }
        }
    }

    private struct Writer : IRowKernel
    {
        public AttentionShape Shape;
        public CacheFormats Format;
        public CachePlace Place;
        public AttentionRun Sequence;
        public float* Keys; // [tokens, keyHeads, keyWidth]
        public float* Values; // [tokens, keyHeads, valueWidth]

        public readonly void Run<TSimd, TVector>(int first, int end) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            var valuePart = Format.ValuePart(Shape);
            for (var t = first; t < end; t++)
            {
                var (block, token) = Math.DivRem(Sequence.Past + t, CacheFormat.BlockTokens);
                var row = (long)(Sequence.FirstRow + t) * Shape.KeyHeads;
                for (var head = 0; head < Shape.KeyHeads; head++)
                {
                    var plane = Sequence.Blocks[block].Pointer + Place.InBlock + (head * Format.HeadBytes(Shape));
                    if (!Format.SealsKeys)
                        Format.Keys.StoreKey(Keys + ((row + head) * Shape.KeyWidth), plane, token, Shape.KeyWidth);
                    if (!Shape.ValuesInKeys)
                        Format.Values.StoreValue(Values + ((row + head) * Shape.ValueWidth), plane + Format.KeyBytes(Shape), token, Shape.ValueWidth, valuePart);
                }
            }
        }
    }
}
