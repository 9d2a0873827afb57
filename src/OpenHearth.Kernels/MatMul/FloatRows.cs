using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Kernels.MatMul;

/// <summary>
/// Products in F32 with activations as they are: a block of rows is decoded once and used for all tokens. A result is
/// the same bit for bit however many tokens there are, since each sums in the same order.
/// </summary>
internal unsafe struct FloatRows : IJob
{
    private Targets _targets;
    private ComputePool _pool;
    private float* _x; // [tokens, columns]
    private int _tokens;

    public static void Run(ComputePool pool, ref Targets targets, float* x, int tokens)
    {
        // Enough rows that reading the activations again for the next block costs little, few enough for the cache.
        var rows = tokens < 8 ? 16 : Math.Clamp(512 * 1024 / 4 / targets[0].Weights.Columns / 4 * 4, 4, 64);
        targets.Cut(rows);
        var job = new FloatRows { _targets = targets, _pool = pool, _x = x, _tokens = tokens };
        pool.Run(ref job, targets.Parts);
    }

    public readonly void Execute(int part, int parts)
    {
        var target = _targets.Part(part, out var first, out var end);
        var weights = target.Weights;
        var columns = weights.Columns;
        var rows = end - first;
        var decoded = (float*)weights.Row(first);
        if (weights.Type != TensorType.F32)
        {
            decoded = (float*)_pool.Local.Get((long)rows * columns * sizeof(float) + RowFloats.ScratchBytes(weights));
            for (var r = 0; r < rows; r++)
                RowFloats.Decode(weights, first + r, decoded + (long)r * columns, (byte*)(decoded + (long)rows * columns));
        }
        FloatDots.Multiply(_pool.Level, decoded, rows, _x, _tokens, columns, target.Y + first, weights.Rows);
    }
}
