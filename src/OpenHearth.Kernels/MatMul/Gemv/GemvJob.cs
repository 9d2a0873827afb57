using OpenHearth.Kernels.Threading;

namespace OpenHearth.Kernels.MatMul.Gemv;

/// <summary>
/// Products of few tokens with generated kernels: bound by memory, so each thread streams neighbouring rows. More tokens
/// than a kernel takes go over a part's rows several times, from the second time on out of the cache.
/// </summary>
internal unsafe struct GemvJob : IJob
{
    /// <summary>Most tokens of a product: beyond, packing rows for the GEMM costs less.</summary>
    public const int MostTokens = 16;

    // From here on, laying out the activations pays on all threads.
    private const int ParallelValues = 16 * 1024;

    private const int ScaleBytes = MostTokens * sizeof(float); // a multiple of 64

    private Targets _targets;
    private int _tokens;
    private float* _scales; // [tokens]
    private Planes _planes; // of each target

    /// <summary>Tokens of the kernel that goes over rows first.</summary>
    public static int TokensOfKernel(int tokens) => Passes(tokens).First(1);

    /// <summary>Multiplies. Every format must have a <see cref="Packing.RowCodes.Gemv"/>; the level must be AVX-512 or above, and code generation allowed.</summary>
    public static void Run(ComputePool pool, ref Targets targets, float* x, int tokens)
    {
        var columns = targets[0].Weights.Columns;
        var bytes = (long)ScaleBytes;
        for (var i = 0; i < targets.Count; i++)
            bytes += GemvPlanes.Bytes(targets[i].Weights.Codes!.Gemv!, columns, tokens);
        var memory = pool.Shared.Get(bytes);
        var job = new GemvJob { _targets = targets, _tokens = tokens, _scales = (float*)memory };
        memory += ScaleBytes;
        for (var i = 0; i < targets.Count; i++)
        {
            // Matrices of the same format share their activations.
            var code = targets[i].Weights.Codes!.Gemv!;
            var same = 0;
            while (targets[same].Weights.Codes!.Gemv != code)
                same++;
            job._planes[i] = same < i ? job._planes[same] : (nint)memory;
            memory += same < i ? 0 : GemvPlanes.Bytes(code, columns, tokens);
        }
        var prepare = new PrepareJob { Job = job, Pool = pool, X = x, Columns = columns };
        if (tokens > 1 && tokens * columns >= ParallelValues)
            pool.Run(ref prepare, tokens);
        else
            for (var t = 0; t < tokens; t++)
                prepare.Execute(t, tokens);

        job._targets.CutForStreaming(pool.Threads);
        pool.Run(ref job, job._targets.Parts);
    }

    public readonly void Execute(int part, int parts)
    {
        var target = _targets.Part(part, out var first, out var end, out var index);
        var weights = target.Weights;
        var code = weights.Codes!.Gemv!;
        var (steps, tail) = Math.DivRem(weights.RowBytes, code.StepBytes);
        var arguments = new GemvWriter.Arguments
        {
            Weights = weights.Row(first),
            Steps = steps,
            TailBytes = tail,
            YStride = (long)weights.Rows * sizeof(float),
        };
        var passes = Passes(_tokens);
        for (var pass = 0; pass < passes.Count; pass++)
        {
            var token = passes.First(pass);
            var tokens = passes.First(pass + 1) - token;
            arguments.Planes = (byte*)_planes[index] + GemvPlanes.Bytes(code, weights.Columns, token);
            arguments.Y = target.Y + first + (long)token * weights.Rows;
            arguments.Scales = _scales + token;
            GemvWriter.Spread(ref arguments, end - first, weights.RowBytes, tokens);
            GemvKernels.Get(weights.Type, tokens).Run(&arguments);
        }
    }

    private static TokenPasses Passes(int tokens) => new(tokens, GemvWriter.MostTokens);

    private struct PrepareJob : IJob
    {
        public GemvJob Job;
        public ComputePool Pool;
        public float* X; // [tokens, columns]
        public int Columns;

        public readonly void Execute(int part, int parts)
        {
            var padded = GemvPlanes.PaddedColumns(Columns);
            var rounded = (short*)Pool.Local.Get(padded * sizeof(short));
            var source = X + (long)part * Columns;
            Job._scales[part] = Activations.Scale(source, Columns, out var inverse);
            Activations.Round(source, Columns, inverse, rounded);
            new Span<short>(rounded + Columns, padded - Columns).Clear();
            for (var i = 0; i < Job._targets.Count; i++)
            {
                var code = Job._targets[i].Weights.Codes!.Gemv!;
                var known = false;
                for (var k = 0; k < i; k++)
                    known |= Job._planes[k] == Job._planes[i];
                var tokenBytes = GemvPlanes.TokenBytes(code);
                if (known)
                    continue;
                var passes = Passes(Job._tokens);
                var pass = passes.Of(part);
                var first = passes.First(pass);
                var place = (byte*)Job._planes[i] + GemvPlanes.Bytes(code, Columns, first) + (part - first) * tokenBytes;
                GemvPlanes.Write(code, Columns, rounded, place, (passes.First(pass + 1) - first) * tokenBytes);
            }
        }
    }

    [System.Runtime.CompilerServices.InlineArray(3)]
    private struct Planes
    {
        private nint _first;
    }
}
