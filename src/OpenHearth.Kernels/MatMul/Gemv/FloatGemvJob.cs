using OpenHearth.Kernels.Threading;

namespace OpenHearth.Kernels.MatMul.Gemv;

/// <summary>Products of few tokens with plain numbers (F32, F16, BF16) by generated kernels.</summary>
internal unsafe struct FloatGemvJob : IJob
{
    private Targets _targets;
    private float* _x; // [tokens, columns]
    private int _tokens;

    /// <summary>Multiplies. The kernel must exist for every type; the level must be AVX-512 or above, and code generation allowed.</summary>
    public static void Run(ComputePool pool, ref Targets targets, float* x, int tokens)
    {
        targets.CutForStreaming(pool.Threads);
        var job = new FloatGemvJob { _targets = targets, _x = x, _tokens = tokens };
        pool.Run(ref job, targets.Parts);
    }

    public readonly void Execute(int part, int parts)
    {
        var target = _targets.Part(part, out var first, out var end);
        var weights = target.Weights;
        var arguments = new FloatGemvKernel.Arguments
        {
            Weights = weights.Row(first),
            Rows = end - first,
            X = _x,
            XStride = (long)weights.Columns * sizeof(float),
            Columns = weights.Columns,
            Y = target.Y + first,
            YStride = (long)weights.Rows * sizeof(float),
        };
        FloatGemvKernel.Get(weights.Type, _tokens).Run(&arguments);
    }
}
