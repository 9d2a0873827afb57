using OpenHearth.Kernels.Threading;

namespace OpenHearth.Kernels.MatMul.Gemm;

/// <summary>
/// Products of many tokens in plain numbers, bf16 or F32: a part decodes a block of rows once into panels that stay in the
/// second-level cache, and multiplies them with every tile of tokens.
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

    /// <summary>Multiplies. The level must be AVX-512 or above, and code generation allowed; for bf16 the processor must have that.</summary>
    public static void Run(ComputePool pool, ref Targets targets, float* x, int tokens, bool bf16)
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
        targets.Cut(FloatPanels.RowsPerPart(targets, pool.Threads, Math.Min(pool.CacheBytes / 2, PanelCacheBytes), bf16));
        job._targets = targets;
        pool.Run(ref job, targets.Parts);
    }

    private readonly int RowBytes => FloatTiles.RowDwords(_columns, _bf16) * sizeof(int);

    public readonly void Execute(int part, int parts)
    {
        var target = _targets.Part(part, out var first, out var end);
        var weights = target.Weights;
        var panelBytes = FloatPanels.PanelBytes(_columns, _bf16);
        var panelCount = FloatPanels.Count(end - first);
        var panels = _pool.Local.Get(FloatPanels.Bytes(weights, end - first, _bf16));
        FloatPanels.Decode(weights, first, end, _bf16, panels);
        for (var tile = 0; tile < _tileCount; tile++)
        {
            var token = First(tile);
            var tokens = First(tile + 1) - token;
            var arguments = new FloatGemmKernel.Arguments
            {
                PanelBytes = panelBytes,
                Tile = Tile(tile),
                YStride = (long)weights.Rows * sizeof(float),
                Steps = RowBytes / 16,
            };
            for (var (p, together) = (0, 0); p < panelCount; p += together)
            {
                together = Math.Min(FloatGemmKernel.MostPanels, panelCount - p);
                var row = first + p * PanelLayout.Rows;
                arguments.Panels = panels + (long)p * panelBytes;
                arguments.Y = target.Y + (long)token * weights.Rows + row;
                arguments.LastRows = Lanes(end - row - (together - 1) * PanelLayout.Rows);
                FloatGemmKernel.Get(_bf16, together, tokens).Run(&arguments);
            }
        }
    }

    private static long Lanes(int rows) => (1L << Math.Min(rows, PanelLayout.Rows)) - 1;

    private readonly int First(int tile) => (int)((long)_tokens * tile / _tileCount);

    private readonly byte* Tile(int tile) => _tiles + (long)First(tile) * RowBytes + tile * 64;

    private struct PackJob : IJob
    {
        public FloatGemmJob Job;
        public float* X; // [tokens, columns]

        public readonly void Execute(int part, int parts)
        {
            var (columns, bf16) = (Job._columns, Job._bf16);
            var scratch = Job._pool.Local.Get(FloatTiles.ScratchBytes(columns, bf16));
            var (first, end) = (Job.First(part), Job.First(part + 1));
            for (var t = first; t < end; t++)
            {
                var source = X + (long)t * columns;
                var row = FloatTiles.Row(scratch, t - first, columns, bf16);
                if (bf16)
                    Bf16Rows.Round(source, columns, (ushort*)row);
                else
                    new Span<float>(source, columns).CopyTo(new Span<float>(row, columns));
            }
            FloatTiles.Pack(scratch, end - first, columns, bf16, Job.Tile(part));
        }
    }
}
