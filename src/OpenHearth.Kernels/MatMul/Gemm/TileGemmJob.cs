using System.Runtime.Intrinsics;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Kernels.MatMul.Gemm;

/// <summary>
/// Products of many tokens with AMX: a part decodes a block of rows to bf16 once, into panels that stay in the second-level
/// cache, and multiplies them with every two tiles of tokens. Tile registers are configured where a part begins and given up
/// where it ends.
/// </summary>
internal unsafe struct TileGemmJob : IJob
{
    private const int Lanes = TileKernel.Lanes;
    private const int Together = TileKernel.Most * Lanes; // rows, and tokens, of the largest kernel

    private Targets _targets;
    private ComputePool _pool;
    private delegate*<GeneratedKernel, void*, void> _execute;
    private byte* _tiles; // [tiles][columns / 32][16 tokens][32] bf16, zeros behind the last token and column
    private int _tokens;
    private int _columns;

    /// <summary>Multiplies. The level must be AMX, and code generation allowed.</summary>
    public static void Run(ComputePool pool, ref Targets targets, float* x, int tokens) => Run(pool, ref targets, x, tokens, &Execute);

    /// <summary>Multiplies, with somebody else executing the kernels of <see cref="TileKernel"/>: tests have no processor for them.</summary>
    internal static void Run(ComputePool pool, ref Targets targets, float* x, int tokens, delegate*<GeneratedKernel, void*, void> execute)
    {
        var job = new TileGemmJob { _pool = pool, _execute = execute, _tokens = tokens, _columns = targets[0].Weights.Columns };
        job._tiles = pool.Shared.Get(job.TileCount * job.TileBytes);
        var pack = new PackJob { Job = job, X = x };
        pool.Run(ref pack, job.TileCount);
        // A quarter of the cache is left to the tokens that go by.
        targets.Cut(FloatPanels.RowsPerPart(targets, pool.Threads, pool.CacheBytes / 4 * 3, bf16: true));
        job._targets = targets;
        pool.Run(ref job, targets.Parts);
    }

    private readonly int TileCount => (_tokens + Lanes - 1) / Lanes;

    private readonly int Steps => (_columns + TileKernel.StepColumns - 1) / TileKernel.StepColumns;

    private readonly long TileBytes => (long)Steps * TileKernel.StepBytes;

    public readonly void Execute(int part, int parts)
    {
        var target = _targets.Part(part, out var first, out var end);
        var bytes = FloatPanels.Bytes(target.Weights, end - first, bf16: true);
        var panels = _pool.Local.Get(bytes + Together * Together * sizeof(float));
        FloatPanels.Decode(target.Weights, first, end, bf16: true, panels);
        var edge = (float*)(panels + bytes);
        _execute(TileKernel.Configure, null);
        for (var tile = 0; tile < TileCount; tile += TileKernel.Most)
        {
            for (var row = first; row < end; row += Together)
                Multiply(target, panels + (row - first) / Lanes * TileBytes, tile, row, end, edge);
        }
        _execute(TileKernel.Release, null);
    }

    // Kernels write whole tiles: where rows or tokens end within one, beside the results, and what exists is copied.
    private readonly void Multiply(in Target target, byte* panels, int tile, int row, int end, float* edge)
    {
        var (token, stride) = (tile * Lanes, target.Weights.Rows);
        var (rows, tokens) = (Math.Min(Together, end - row), Math.Min(Together, _tokens - token));
        var (panelCount, tileCount) = ((rows + Lanes - 1) / Lanes, (tokens + Lanes - 1) / Lanes);
        var whole = rows % Lanes == 0 && tokens % Lanes == 0;
        var y = target.Y + (long)token * stride + row;
        var arguments = new TileKernel.Arguments
        {
            Panels = panels,
            PanelBytes = TileBytes,
            Tiles = _tiles + tile * TileBytes,
            TileBytes = TileBytes,
            Y = whole ? y : edge,
            YStride = (whole ? stride : Together) * (long)sizeof(float),
            Steps = Steps,
        };
        _execute(TileKernel.Get(panelCount, tileCount), &arguments);
        for (var t = 0; t < tokens && !whole; t++)
            new Span<float>(edge + t * Together, rows).CopyTo(new Span<float>(y + (long)t * stride, rows));
    }

    private static void Execute(GeneratedKernel kernel, void* arguments) => kernel.Run(arguments);

    private struct PackJob : IJob
    {
        public TileGemmJob Job;
        public float* X; // [tokens, columns]

        public readonly void Execute(int part, int parts)
        {
            var (steps, columns) = (Job.Steps, Job._columns);
            var tile = Job._tiles + part * Job.TileBytes;
            var row = (ushort*)Job._pool.Local.Get(steps * 64);
            new Span<ushort>(row + columns, steps * TileKernel.StepColumns - columns).Clear();
            for (var lane = 0; lane < Lanes; lane++)
            {
                var token = part * Lanes + lane;
                if (token < Job._tokens)
                    Bf16Rows.Round(X + (long)token * columns, columns, row);
                else
                    new Span<ushort>(row, columns).Clear();
                for (var s = 0; s < steps; s++)
                    Vector512.Load((byte*)row + s * 64).Store(tile + s * TileKernel.StepBytes + lane * 64);
            }
        }
    }
}
