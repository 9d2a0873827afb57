using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Kernels.MatMul.Gemv;

/// <summary>Products of few tokens with plain numbers (F32, F16, BF16) by generated kernels.</summary>
internal unsafe struct FloatGemvJob : IJob
{
    private Targets _targets;
    private float* _x; // [sixteens of columns, tokens, 16]
    private int _tokens;

    /// <summary>Multiplies. The kernel must exist for every type; the level must be AVX-512 or above, and code generation allowed.</summary>
    public static void Run(ComputePool pool, ref Targets targets, float* x, int tokens)
    {
        var columns = targets[0].Weights.Columns;
        var sixteens = (columns + 15) / 16;
        var job = new FloatGemvJob { _targets = targets, _tokens = tokens };
        job._x = (float*)pool.Shared.Get((long)sixteens * tokens * 16 * sizeof(float));
        for (var t = 0; t < tokens; t++)
            Interleave(x + (long)t * columns, columns, job._x + 16 * t, 16 * tokens);
        job._targets.CutForStreaming(pool.Threads);
        pool.Run(ref job, job._targets.Parts);
    }

    public readonly void Execute(int part, int parts)
    {
        var target = _targets.Part(part, out var first, out var end);
        var weights = target.Weights;
        var arguments = new FloatGemvKernel.Arguments
        {
            Weights = weights.Row(first),
            X = _x,
            Columns = weights.Columns,
            Y = target.Y + first,
            YStride = (long)weights.Rows * sizeof(float),
        };
        FloatGemvKernel.Spread(ref arguments, end - first, weights.RowBytes, _tokens);
        FloatGemvKernel.Get(weights.Type, _tokens).Run(&arguments);
    }

    private static void Interleave(float* x, int columns, float* target, int stride)
    {
        var i = 0;
        for (; i <= columns - 16; i += 16, target += stride)
            Vector512.Load(x + i).Store(target);
        if (i == columns)
            return;
        Vector512<float>.Zero.Store(target);
        for (var k = 0; i + k < columns; k++)
            target[k] = x[i + k];
    }
}
