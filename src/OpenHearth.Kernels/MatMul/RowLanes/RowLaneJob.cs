using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Kernels.MatMul.RowLanes;

/// <summary>
/// Products of a few tokens, such as drafts to be verified or those of a few users: bound by memory and arithmetic alike.
/// More tokens than a kernel takes go over a panel of 16 rows several times, from the second time on out of the cache.
/// </summary>
internal unsafe struct RowLaneJob
{
    // From here on, laying out the activations pays on all threads.
    private const int ParallelValues = 16 * 1024;

    private const int PiecesPerPart = 16; // of 32 columns, of laying out

    private Targets _targets;
    private int _tokens;
    private int _columns;
    private float* _scales; // [tokens]
    private short* _rounded; // [tokens, columns]
    private Places _activations; // of each target, [passes][columns / 32]

    /// <summary>Tokens of the kernel that goes over rows first.</summary>
    public static int TokensOfKernel(int tokens) => Passes(tokens).First(1);

    /// <summary>Multiplies. Every format must have a <see cref="Packing.RowCodes.RowLanes"/> and every matrix 16 rows; the level must be AVX-512 or above, and code generation allowed.</summary>
    public static void Run(ComputePool pool, ref Targets targets, float* x, int tokens)
    {
        var columns = targets[0].Weights.Columns;
        var job = new RowLaneJob { _targets = targets, _tokens = tokens, _columns = columns };
        var scaleBytes = (tokens * sizeof(float) + 63L) & ~63L;
        var roundedBytes = (long)tokens * columns * sizeof(short);
        var bytes = scaleBytes + roundedBytes;
        for (var i = 0; i < targets.Count; i++)
            bytes += job.ActivationBytes(tokens, Code(targets, i));
        var memory = pool.Shared.Get(bytes);
        job._scales = (float*)memory;
        job._rounded = (short*)(memory + scaleBytes);
        memory += scaleBytes + roundedBytes;
        for (var i = 0; i < targets.Count; i++)
        {
            // Matrices of the same format share their activations.
            var same = 0;
            while (Code(targets, same) != Code(targets, i))
                same++;
            job._activations[i] = same < i ? job._activations[same] : (nint)memory;
            memory += same < i ? 0 : job.ActivationBytes(tokens, Code(targets, i));
        }
        var round = new RoundJob { Job = job, X = x };
        var layOut = new LayOutJob { Job = job };
        var several = (long)tokens * columns >= ParallelValues;
        Do(pool, ref round, tokens, several);
        Do(pool, ref layOut, Passes(tokens).Count * job.PartsOfPass, several);

        // Smaller parts than those of one token: the last one is waited for longer.
        job._targets.CutForStreaming(pool.Threads, partsOfThread: 16);
        job._targets.Cut((job._targets.RowsPerPart + RowLaneWriter.Rows - 1) / RowLaneWriter.Rows * RowLaneWriter.Rows);
        var multiply = new MultiplyJob { Job = job };
        pool.Run(ref multiply, job._targets.Parts);
    }

    private static void Do<TJob>(ComputePool pool, ref TJob job, int parts, bool several) where TJob : struct, IJob
    {
        if (several)
        {
            pool.Run(ref job, parts);
            return;
        }
        for (var part = 0; part < parts; part++)
            job.Execute(part, parts);
    }

    private static TokenPasses Passes(int tokens) => new(tokens, RowLaneWriter.MostTokens);

    private readonly int Pieces => _columns / RowLaneActivations.Columns;

    private readonly int PartsOfPass => (Pieces + PiecesPerPart - 1) / PiecesPerPart;

    private readonly long ActivationBytes(int tokens, RowLaneCode code) => (long)Pieces * RowLaneActivations.Bytes(tokens, code);

    private static RowLaneCode Code(in Targets targets, int index) => targets[index].Weights.Codes!.RowLanes!;

    private struct RoundJob : IJob
    {
        public RowLaneJob Job;
        public float* X; // [tokens, columns]

        public readonly void Execute(int part, int parts)
        {
            var source = X + (long)part * Job._columns;
            Job._scales[part] = Activations.Scale(source, Job._columns, out var inverse);
            Activations.Round(source, Job._columns, inverse, Job._rounded + (long)part * Job._columns);
        }
    }

    private struct LayOutJob : IJob
    {
        public RowLaneJob Job;

        public readonly void Execute(int part, int parts)
        {
            var passes = Passes(Job._tokens);
            var (pass, piece) = Math.DivRem(part, Job.PartsOfPass);
            piece *= PiecesPerPart;
            var first = passes.First(pass);
            var tokens = passes.First(pass + 1) - first;
            var count = Math.Min(PiecesPerPart, Job.Pieces - piece);
            for (var i = 0; i < Job._targets.Count; i++)
            {
                var known = false;
                for (var k = 0; k < i; k++)
                    known |= Job._activations[k] == Job._activations[i];
                if (known)
                    continue;
                var code = Code(Job._targets, i);
                var place = (byte*)Job._activations[i] + Job.ActivationBytes(first, code) + (long)piece * RowLaneActivations.Bytes(tokens, code);
                RowLaneActivations.Write(code, Job._rounded + (long)first * Job._columns + piece * RowLaneActivations.Columns, Job._columns, tokens, count, place);
            }
        }
    }

    private struct MultiplyJob : IJob
    {
        public RowLaneJob Job;

        public readonly void Execute(int part, int parts)
        {
            var target = Job._targets.Part(part, out var first, out var end, out var index);
            var (weights, code) = (target.Weights, target.Weights.Codes!.RowLanes!);
            var passes = Passes(Job._tokens);
            var results = stackalloc float[RowLaneWriter.MostTokens * RowLaneWriter.Rows];
            var following = part + 1 < parts ? FirstRow(part + 1) : weights.Row(end);
            for (var row = first; row < end; row += RowLaneWriter.Rows)
            {
                // The last panel of a matrix takes rows before it as well, whose results are left out.
                var start = Math.Min(row, weights.Rows - RowLaneWriter.Rows);
                var arguments = new RowLaneWriter.Arguments
                {
                    Weights = weights.Row(start),
                    Stride = weights.RowBytes,
                    Steps = weights.Columns / code.StepColumns,
                    Results = results,
                    Next = row + RowLaneWriter.Rows < end ? weights.Row(row + RowLaneWriter.Rows) : following,
                };
                for (var pass = 0; pass < passes.Count; pass++)
                {
                    var token = passes.First(pass);
                    var tokens = passes.First(pass + 1) - token;
                    arguments.Activations = (byte*)Job._activations[index] + Job.ActivationBytes(token, code);
                    RowLaneKernels.Get(weights.Type, tokens).Run(&arguments);
                    Store(results, row - start, Math.Min(end - row, RowLaneWriter.Rows), token, tokens, target.Y + row, weights.Rows);
                }
            }
        }

        // Of the next part of the same thread, unless another one has taken it.
        private readonly byte* FirstRow(int part)
        {
            var target = Job._targets.Part(part, out var first, out _);
            return target.Weights.Row(first);
        }

        private readonly void Store(float* results, int lane, int rows, int token, int tokens, float* y, int yStride)
        {
            for (var t = 0; t < tokens; t++, results += RowLaneWriter.Rows)
            {
                var to = y + (long)(token + t) * yStride;
                if (rows == RowLaneWriter.Rows)
                {
                    (Vector512.Load(results) * Job._scales[token + t]).Store(to);
                    continue;
                }
                for (var r = 0; r < rows; r++)
                    to[r] = results[lane + r] * Job._scales[token + t];
            }
        }
    }

    [System.Runtime.CompilerServices.InlineArray(3)]
    private struct Places
    {
        private nint _first;
    }
}
