using OpenHearth.Kernels.Elementwise;
using OpenHearth.Kernels.Threading;
using OpenHearth.Kernels.Vectors;

namespace OpenHearth.Kernels.MatMul;

/// <summary>
/// Many products with matrices of their own, such as those of experts or of heads, dealt to the threads all at once: they
/// meet once however many there are, and each part prepares its activations itself. A result is the same bit for bit as that of
/// <see cref="Product"/> and does not depend on threads. Nothing is allocated on the managed heap. Not thread-safe.
/// </summary>
/// <param name="capacity">The most products at a time.</param>
public sealed unsafe class ProductList(int capacity)
{
    // A part should be long beside preparing its activations, which every part of a matrix does again.
    private const long MostPartBytes = 1 << 20;
    private const long FewestPartBytes = 64 << 10;
    private const int FewestRowsOfManyTokens = 512;

    private readonly Entry[] _entries = new Entry[capacity];
    private int _count;

    /// <summary>Takes all products out.</summary>
    public void Clear()
    {
        Array.Clear(_entries, 0, _count);
        _count = 0;
    }

    /// <summary>Adds y[first + i] = W · x[first + i] + b for i below <paramref name="rows"/>.</summary>
    /// <param name="weights">W, [results, columns]</param>
    /// <param name="first">First row of activations and of results.</param>
    /// <param name="rows">How many; at least 1</param>
    /// <param name="x">Where a row of activations begins, in values from that of the buffer's row.</param>
    /// <param name="y">The same for results, which must not overlap those of another product.</param>
    /// <param name="bias">Holds b, or is empty for none.</param>
    /// <param name="firstBias">Where b begins.</param>
    public void Add(Matrix weights, int first, int rows, int x = 0, int y = 0, float[]? bias = null, int firstBias = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(x);
        ArgumentOutOfRangeException.ThrowIfNegative(y);
        if (bias is { Length: 0 })
            bias = null;
        if (bias is not null)
            ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)firstBias, (uint)Math.Max(0, bias.Length - weights.Rows));
        _entries[_count++] = new Entry { Weights = weights, First = first, Rows = rows, X = x, Y = y, Bias = bias, FirstBias = firstBias };
    }

    /// <summary>Computes all products.</summary>
    /// <param name="pool">Runs the parts.</param>
    /// <param name="x">Activations.</param>
    /// <param name="xStride">Values from one row of activations to the next.</param>
    /// <param name="xRows">The row of activations that each row stands for, or empty where it is the same.</param>
    /// <param name="y">Results.</param>
    /// <param name="yStride">Values from one row of results to the next.</param>
    /// <param name="precision">Whether activations may be rounded.</param>
    /// <exception cref="ArgumentOutOfRangeException">A product reaches beyond a buffer.</exception>
    public void Multiply(ComputePool pool, ReadOnlySpan<float> x, int xStride, ReadOnlySpan<int> xRows, Span<float> y, int yStride, Precision precision)
    {
        var bytes = 0L;
        foreach (ref readonly var entry in _entries.AsSpan(0, _count))
        {
            CheckInput(entry, x.Length, xStride, xRows);
            CheckReach(entry.First + entry.Rows - 1, yStride, entry.Y, entry.Weights.Rows, y.Length, nameof(y));
            bytes += (long)entry.Weights.Rows * entry.Weights.RowBytes;
        }
        var parts = Cut(Math.Clamp(bytes / (pool.Threads * 8), FewestPartBytes, MostPartBytes));
        fixed (float* px = x, py = y)
        {
            fixed (int* rows = xRows)
            {
                var job = new Job { List = this, Pool = pool, X = px, XStride = xStride, XRows = rows, Y = py, YStride = yStride, Precision = precision };
                pool.Run(ref job, parts);
            }
        }
    }

    private int Cut(long partBytes)
    {
        var parts = 0;
        foreach (ref var entry in _entries.AsSpan(0, _count))
        {
            var fewest = entry.Rows < 4 ? 1 : FewestRowsOfManyTokens;
            var most = (int)Math.Clamp(partBytes / entry.Weights.RowBytes, fewest, int.MaxValue - 32);
            var count = (entry.Weights.Rows + most - 1) / most;
            // Whole panels of rows, whatever kernel it will be.
            entry.RowsPerPart = (((entry.Weights.Rows + count - 1) / count) + 31) & ~31;
            parts = checked(parts + ((entry.Weights.Rows + entry.RowsPerPart - 1) / entry.RowsPerPart));
            entry.EndPart = parts;
        }
        return parts;
    }

    private static void CheckInput(in Entry entry, int length, int stride, ReadOnlySpan<int> rows)
    {
        if (rows.IsEmpty)
        {
            CheckReach(entry.First + entry.Rows - 1, stride, entry.X, entry.Weights.Columns, length, "x");
            return;
        }
        foreach (var row in rows.Slice(entry.First, entry.Rows))
        {
            ArgumentOutOfRangeException.ThrowIfNegative(row, nameof(rows));
            CheckReach(row, stride, entry.X, entry.Weights.Columns, length, "x");
        }
    }

    private static void CheckReach(int row, int stride, int offset, int width, int length, string name)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, ((long)row * stride) + offset + width, name);
    }

    private struct Entry
    {
        public Matrix Weights;
        public int First;
        public int Rows;
        public int X;
        public int Y;
        public float[]? Bias;
        public int FirstBias;
        public int RowsPerPart; // of the matrix
        public int EndPart; // of all products
    }

    private struct Job : IJob
    {
        public ProductList List;
        public ComputePool Pool;
        public float* X;
        public int XStride;
        public int* XRows; // or null
        public float* Y;
        public int YStride;
        public Precision Precision;

        public readonly void Execute(int part, int parts)
        {
            var entries = List._entries.AsSpan(0, List._count);
            var index = Find(entries, part);
            ref readonly var entry = ref entries[index];
            var matrix = entry.Weights;
            var first = (part - (index == 0 ? 0 : entries[index - 1].EndPart)) * entry.RowsPerPart;
            var count = Math.Min(entry.RowsPerPart, matrix.Rows - first);
            // Kernels take rows without gaps.
            var gathers = entry.Rows > 1 && (XRows != null || XStride != matrix.Columns);
            var scatters = entry.Rows > 1 && YStride != matrix.Rows;
            var inputs = gathers ? (long)entry.Rows * matrix.Columns : 0;
            var local = gathers || scatters ? (float*)Pool.Local.Get((inputs + (scatters ? (long)entry.Rows * matrix.Rows : 0)) * sizeof(float)) : null;
            var y = Y + ((long)entry.First * YStride) + entry.Y;
            var results = scatters ? local + inputs : y;
            Product.Multiply(Pool.Alone, matrix, first, count, gathers ? Gather(entry, local) : Input(entry, 0), results, entry.Rows, Precision);
            for (var r = 0; r < entry.Rows; r++)
                Finish(entry, results + ((long)r * matrix.Rows) + first, y + ((long)r * (scatters ? YStride : matrix.Rows)) + first, first, count);
        }

        private static int Find(ReadOnlySpan<Entry> entries, int part)
        {
            var (low, high) = (0, entries.Length - 1);
            while (low < high)
            {
                var middle = (low + high) / 2;
                (low, high) = part < entries[middle].EndPart ? (low, middle) : (middle + 1, high);
            }
            return low;
        }

        private readonly float* Input(in Entry entry, int row) =>
            X + ((long)(XRows == null ? entry.First + row : XRows[entry.First + row]) * XStride) + entry.X;

        private readonly float* Gather(in Entry entry, float* rows)
        {
            var columns = entry.Weights.Columns;
            for (var r = 0; r < entry.Rows; r++)
                new ReadOnlySpan<float>(Input(entry, r), columns).CopyTo(new Span<float>(rows + ((long)r * columns), columns));
            return rows;
        }

        private readonly void Finish(in Entry entry, float* from, float* to, int first, int count)
        {
            if (from != to)
                new ReadOnlySpan<float>(from, count).CopyTo(new Span<float>(to, count));
            if (entry.Bias is null)
                return;
            fixed (float* bias = entry.Bias)
            {
                var kernel = new Arithmetic.Kernel { A = to, B = bias + entry.FirstBias + first, Y = to, Width = count, Operation = Arithmetic.Operation.Add };
                RowKernel.RunWidest(Pool.Level, ref kernel, 0, 1);
            }
        }
    }
}
