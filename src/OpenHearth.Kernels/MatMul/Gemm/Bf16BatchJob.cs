using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Kernels.MatMul.Gemm;

/// <summary>
/// Products of a few users' tokens, up to 32, in bf16. Decoding a weight would cost as much as multiplying it with 16 tokens
/// if it had to be laid out as well; here a block of rows is decoded into the first-level cache and used as it lies.
/// </summary>
internal unsafe struct Bf16BatchJob : IJob
{
    /// <summary>Most tokens: beyond, panels of weights pay.</summary>
    public const int MostTokens = Bf16BatchKernel.Lanes * Bf16BatchKernel.MostVectors;

    private const int SumBytes = 16 * 64; // of all rows and tokens of a kernel

    private Targets _targets;
    private ComputePool _pool;
    private byte* _panels; // [vectors][columns / 2, rounded up to 16][16 tokens][2] bf16
    private int _tokens;
    private int _vectors;
    private int _columns;

    /// <summary>Multiplies. The level must be AVX-512 or above with BF16, and code generation allowed.</summary>
    public static void Run(ComputePool pool, ref Targets targets, float* x, int tokens)
    {
        var job = new Bf16BatchJob
        {
            _pool = pool,
            _tokens = tokens,
            _vectors = (tokens + Bf16BatchKernel.Lanes - 1) / Bf16BatchKernel.Lanes,
            _columns = targets[0].Weights.Columns,
        };
        job._panels = pool.Shared.Get(job._vectors * job.PanelBytes);
        var pack = new PackJob { Job = job, X = x };
        pool.Run(ref pack, job._vectors);
        targets.CutForStreaming(pool.Threads);
        targets.Cut((targets.RowsPerPart + 15) / 16 * 16);
        job._targets = targets;
        pool.Run(ref job, targets.Parts);
    }

    // Padded so that rows do not fall on the same cache sets.
    private readonly int RowStride => (_columns * sizeof(ushort) + 63) / 64 * 64 + 64;

    private readonly long PanelBytes => FloatTiles.RowDwords(_columns, bf16: true) * 64L;

    public readonly void Execute(int part, int parts)
    {
        var target = _targets.Part(part, out var first, out var end);
        var weights = target.Weights;
        var together = Bf16BatchKernel.RowsFor(_vectors);
        var sums = _pool.Local.Get(2 * SumBytes + together * RowStride + Bf16Rows.ScratchBytes(weights));
        var turned = (float*)(sums + SumBytes); // [tokens of a vector][rows]
        var rows = sums + 2 * SumBytes;
        var kernel = Bf16BatchKernel.Get(_vectors);
        var padded = (_columns + 7) / 8 * 8;
        for (var row = first; row < end; row += together)
        {
            var count = Math.Min(together, end - row);
            new Span<byte>(sums, SumBytes).Clear();
            for (var r = 0; r < count; r++)
            {
                var decoded = (ushort*)(rows + r * RowStride);
                Bf16Rows.Decode(weights, row + r, 0, _columns, decoded, rows + together * RowStride);
                new Span<ushort>(decoded + _columns, padded - _columns).Clear();
            }
            var arguments = new Bf16BatchKernel.Arguments
            {
                Rows = rows,
                RowStride = RowStride,
                Panels = _panels,
                PanelBytes = PanelBytes,
                Sums = (float*)sums,
                Steps = padded / 8,
                // Nothing is read while a kernel multiplies, so the next rows are fetched then.
                Next = weights.Row(row + count),
                NextStep = ((long)together * weights.RowBytes + padded / 2 - 1) / (padded / 2),
            };
            kernel.Run(&arguments);
            Store((float*)sums, turned, count, target.Y + row, weights.Rows);
        }
    }

    // [rows][vectors][16 tokens] sums become [tokens, rows].
    private readonly void Store(float* sums, float* turned, int rows, float* y, int yStride)
    {
        for (var v = 0; v < _vectors; v++)
        {
            var tokens = Math.Min(_tokens - v * Bf16BatchKernel.Lanes, Bf16BatchKernel.Lanes);
            var arguments = new TransposeKernel.Arguments { Source = (byte*)(sums + v * 16), Stride = _vectors * 64, Target = (byte*)turned, Steps = 1 };
            TransposeKernel.Get(Bf16BatchKernel.RowsFor(_vectors)).Run(&arguments);
            for (var t = 0; t < tokens; t++)
            {
                var from = turned + t * Bf16BatchKernel.RowsFor(_vectors);
                var to = y + (long)(v * Bf16BatchKernel.Lanes + t) * yStride;
                if (rows == 16)
                    Vector512.Load(from).Store(to);
                else
                    new Span<float>(from, rows).CopyTo(new Span<float>(to, rows));
            }
        }
    }

    private struct PackJob : IJob
    {
        public Bf16BatchJob Job;
        public float* X; // [tokens, columns]

        public readonly void Execute(int part, int parts)
        {
            var columns = Job._columns;
            var scratch = Job._pool.Local.Get(FloatTiles.ScratchBytes(columns, bf16: true));
            for (var lane = 0; lane < Bf16BatchKernel.Lanes; lane++)
            {
                var token = part * Bf16BatchKernel.Lanes + lane;
                var row = (ushort*)FloatTiles.Row(scratch, lane, columns, bf16: true);
                if (token < Job._tokens)
                    Bf16Rows.Round(X + (long)token * columns, columns, row);
                else
                    new Span<ushort>(row, columns).Clear();
            }
            FloatTiles.Pack(scratch, Bf16BatchKernel.Lanes, columns, bf16: true, Job._panels + part * Job.PanelBytes);
        }
    }
}
