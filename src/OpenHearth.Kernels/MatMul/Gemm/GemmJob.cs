using OpenHearth.Kernels.Threading;

namespace OpenHearth.Kernels.MatMul.Gemm;

/// <summary>
/// Products of many tokens with integer formats: a part packs a block of rows that stays in the second-level cache and
/// multiplies it with every tile of tokens.
/// </summary>
internal unsafe struct GemmJob : IJob
{
    private const int PanelCacheBytes = 768 << 10;

    private Targets _targets;
    private ComputePool _pool;
    private TokenTiles _tiles;

    /// <summary>Multiplies. The level must be AVX-512 or above, and code generation allowed.</summary>
    public static void Run(ComputePool pool, ref Targets targets, float* x, int tokens)
    {
        var columns = targets[0].Weights.Columns;
        var tiles = new TokenTiles(tokens, columns, pool.Shared.Get(TokenTiles.Bytes(tokens, columns)));
        var pack = new PackJob { Tiles = tiles, Pool = pool, X = x, Columns = columns, Sums = targets.HaveMins() };
        pool.Run(ref pack, tiles.Count);

        targets.Cut(RowsPerPart(pool, targets));
        var job = new GemmJob { _targets = targets, _pool = pool, _tiles = tiles };
        pool.Run(ref job, targets.Parts);
    }

    public readonly void Execute(int part, int parts)
    {
        var target = _targets.Part(part, out var first, out var end);
        var (weights, format) = (target.Weights, target.Weights.Codes!);
        var layout = new PanelLayout(format.Group, format.HasMins);
        var panelBytes = layout.Bytes(weights.Columns);
        var panelCount = (end - first + PanelLayout.Rows - 1) / PanelLayout.Rows;
        var results = (float*)_pool.Local.Get(
            ResultTile.Bytes + (long)panelCount * panelBytes + PanelPacker.ScratchBytes(format, weights.Columns));
        var panels = (byte*)results + ResultTile.Bytes;
        for (var p = 0; p < panelCount; p++)
        {
            var row = first + p * PanelLayout.Rows;
            PanelPacker.Pack(weights, row, Math.Min(PanelLayout.Rows, end - row), panels + (long)p * panelBytes, panels + (long)panelCount * panelBytes);
        }
        for (var tile = 0; tile < _tiles.Count; tile++)
        {
            var token = _tiles.First(tile);
            var tokens = _tiles.First(tile + 1) - token;
            var arguments = new GemmKernel.Arguments
            {
                PanelBytes = panelBytes,
                Tile = _tiles.Codes(tile),
                Sums = _tiles.Sums(tile, layout.Group),
                Results = results,
                Steps = weights.Columns / PanelLayout.StepColumns,
            };
            for (var (p, together) = (0, GemmKernel.PanelsFor(tokens)); p < panelCount; p += together)
            {
                together = Math.Min(together, panelCount - p);
                arguments.Panels = panels + (long)p * panelBytes;
                GemmKernel.Get(layout, together, tokens).Run(&arguments);
                var row = first + p * PanelLayout.Rows;
                ResultTile.Store(results, together, Math.Min(together * PanelLayout.Rows, end - row), tokens, _tiles.Scales + token, target.Y + (long)token * weights.Rows + row, weights.Rows);
            }
        }
    }

    private static int RowsPerPart(ComputePool pool, in Targets targets)
    {
        var rows = 0;
        for (var i = 0; i < targets.Count; i++)
            rows += targets[i].Weights.Rows;
        // A row in a panel takes about 1.4 bytes a column.
        var cached = Math.Min(pool.CacheBytes / 2, PanelCacheBytes) * 5 / 7 / targets[0].Weights.Columns;
        return Math.Clamp(Math.Min(cached, rows / (pool.Threads * 4)) / 32 * 32, 32, 256);
    }

    private struct PackJob : IJob
    {
        public TokenTiles Tiles;
        public ComputePool Pool;
        public float* X;
        public int Columns;
        public bool Sums;

        public readonly void Execute(int part, int parts) => Tiles.Pack(part, X, Sums, Pool.Local.Get(TokenTiles.ScratchBytes(Columns)));
    }
}
