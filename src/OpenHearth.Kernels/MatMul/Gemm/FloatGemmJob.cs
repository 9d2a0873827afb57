using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Kernels.MatMul.Gemm;

/// <summary>
/// Products of many tokens with plain numbers: in bf16 where the weights have no more than 16 bits and the processor
/// multiplies it faster than F32, and in F32 otherwise.
/// </summary>
internal unsafe struct FloatGemmJob : IJob
{
    private const int PanelCacheBytes = 1 << 20;

    private Targets _targets;
    private ComputePool _pool;
    private byte* _tiles; // tile after tile, with a vector to spare
    private int _tokens;
    private int _tileCount;
    private int _columns;
    private bool _bf16;

    /// <summary>Multiplies. The level must be AVX-512 or above, and code generation allowed.</summary>
    public static void Run(ComputePool pool, ref Targets targets, float* x, int tokens) =>
        Run(pool, ref targets, x, tokens, FloatGemmKernel.PrefersBf16 && !HasF32(targets));

    /// <summary>Multiplies in one way or the other, for tests.</summary>
    internal static void Run(ComputePool pool, ref Targets targets, float* x, int tokens, bool bf16)
    {
        var job = new FloatGemmJob
        {
            _pool = pool,
            _tokens = tokens,
            _tileCount = (tokens + FloatGemmKernel.MostTokens - 1) / FloatGemmKernel.MostTokens,
            _columns = targets[0].Weights.Columns,
            _bf16 = bf16,
        };
        job._tiles = pool.Shared.Get((long)tokens * job.RowBytes + job._tileCount * 64);
        var pack = new PackJob { Job = job, X = x };
        pool.Run(ref pack, job._tileCount);
        targets.Cut(Math.Clamp(Math.Min(pool.CacheBytes / 2, PanelCacheBytes) / job.RowBytes / 32 * 32, 32, 128));
        job._targets = targets;
        pool.Run(ref job, targets.Parts);
    }

    private readonly int RowBytes => FloatTiles.RowDwords(_columns, _bf16) * sizeof(int);

    public readonly void Execute(int part, int parts)
    {
        var target = _targets.Part(part, out var first, out var end);
        var weights = target.Weights;
        var panelBytes = PanelLayout.Rows * RowBytes;
        var panelCount = (end - first + PanelLayout.Rows - 1) / PanelLayout.Rows;
        var rowScratch = FloatTiles.ScratchBytes(_columns, _bf16);
        var results = _pool.Local.Get(ResultTile.Bytes + (long)panelCount * panelBytes + rowScratch + RowFloats.ScratchBytes(weights));
        var panels = results + ResultTile.Bytes;
        var scratch = panels + (long)panelCount * panelBytes;
        for (var p = 0; p < panelCount; p++)
        {
            for (var r = 0; r < PanelLayout.Rows; r++)
            {
                var row = FloatTiles.Row(scratch, r, _columns, _bf16);
                if (first + p * PanelLayout.Rows + r < end)
                    RowFloats.Decode(weights, first + p * PanelLayout.Rows + r, row, scratch + rowScratch);
                else
                    new Span<float>(row, _columns).Clear();
            }
            FloatTiles.Pack(scratch, PanelLayout.Rows, _columns, _bf16, panels + (long)p * panelBytes);
        }
        for (var tile = 0; tile < _tileCount; tile++)
        {
            var token = First(tile);
            var tokens = First(tile + 1) - token;
            var arguments = new FloatGemmKernel.Arguments
            {
                PanelBytes = panelBytes,
                Tile = Tile(tile),
                Results = (float*)results,
                Steps = RowBytes / 16,
            };
            for (var (p, together) = (0, 0); p < panelCount; p += together)
            {
                together = Math.Min(FloatGemmKernel.MostPanels, panelCount - p);
                arguments.Panels = panels + (long)p * panelBytes;
                FloatGemmKernel.Get(_bf16, together, tokens).Run(&arguments);
                var row = first + p * PanelLayout.Rows;
                ResultTile.Store((float*)results, together, Math.Min(together * PanelLayout.Rows, end - row), tokens, null, target.Y + (long)token * weights.Rows + row, weights.Rows);
            }
        }
    }

    private readonly int First(int tile) => (int)((long)_tokens * tile / _tileCount);

    private readonly byte* Tile(int tile) => _tiles + (long)First(tile) * RowBytes + tile * 64;

    private static bool HasF32(in Targets targets)
    {
        for (var i = 0; i < targets.Count; i++)
        {
            if (targets[i].Weights.Type is not (TensorType.F16 or TensorType.BF16))
                return true;
        }
        return false;
    }

    private struct PackJob : IJob
    {
        public FloatGemmJob Job;
        public float* X; // [tokens, columns]

        public readonly void Execute(int part, int parts)
        {
            var columns = Job._columns;
            var scratch = Job._pool.Local.Get(FloatTiles.ScratchBytes(columns, Job._bf16));
            var (first, end) = (Job.First(part), Job.First(part + 1));
            for (var t = first; t < end; t++)
                new Span<float>(X + (long)t * columns, columns).CopyTo(new Span<float>(FloatTiles.Row(scratch, t - first, columns, Job._bf16), columns));
            FloatTiles.Pack(scratch, end - first, columns, Job._bf16, Job.Tile(part));
        }
    }
}
