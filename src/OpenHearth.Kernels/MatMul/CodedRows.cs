using OpenHearth.Kernels.Threading;

namespace OpenHearth.Kernels.MatMul;

/// <summary>
/// Products of few tokens with integer formats, without generated code: a row is taken apart in the first cache and
/// multiplied with activations of 16 bits. Sums within a group are exact.
/// </summary>
internal unsafe struct CodedRows : IJob
{
    /// <summary>From here on decoding to F32 once for all tokens is faster.</summary>
    public const int MostTokens = 3;

    private Targets _targets;
    private ComputePool _pool;
    private int _tokens;
    private short* _codes; // [tokens, columns]
    private float* _scales; // [tokens]
    private float* _sums16; // [tokens, columns / 16]
    private float* _sums32; // [tokens, columns / 32]

    public static void Run(ComputePool pool, ref Targets targets, float* x, int tokens)
    {
        var columns = targets[0].Weights.Columns;
        var (codeBytes, sumBytes) = (Align(columns * sizeof(short)), Align(columns / 16 * sizeof(float)));
        var memory = pool.Shared.Get(tokens * (codeBytes + 2L * sumBytes) + Align(tokens * sizeof(float)));
        targets.CutForStreaming(pool.Threads);
        var job = new CodedRows
        {
            _targets = targets,
            _pool = pool,
            _tokens = tokens,
            _codes = (short*)memory,
            _sums16 = (float*)(memory + (long)tokens * codeBytes),
            _sums32 = (float*)(memory + tokens * ((long)codeBytes + sumBytes)),
            _scales = (float*)(memory + tokens * (codeBytes + 2L * sumBytes)),
        };
        job.Prepare(x, columns);
        pool.Run(ref job, targets.Parts);
    }

    public readonly void Execute(int part, int parts)
    {
        var target = _targets.Part(part, out var first, out var end);
        var weights = target.Weights;
        var (format, columns) = (weights.Codes!, weights.Columns);
        var groups = columns / format.Group;
        var scales = (float*)_pool.Local.Get(Align(columns) + 2L * groups * sizeof(float));
        var mins = scales + groups;
        var codes = (sbyte*)(mins + groups);
        var sums = format.Group == 16 ? _sums16 : _sums32;
        for (var r = first; r < end; r++)
        {
            format.Unpack(weights.Row(r), columns, codes, scales, mins);
            for (var t = 0; t < _tokens; t++)
            {
                var sum = CodedDot.Multiply(_pool.Level, codes, scales, _codes + (long)t * columns, columns, format.Group);
                if (format.HasMins)
                    sum += CodedDot.Multiply(_pool.Level, mins, sums + (long)t * groups, groups);
                target.Y[(long)t * weights.Rows + r] = sum * _scales[t];
            }
        }
    }

    private static int Align(int bytes) => (bytes + 63) & ~63;

    private readonly void Prepare(float* x, int columns)
    {
        for (var t = 0; t < _tokens; t++)
        {
            var codes = _codes + (long)t * columns;
            _scales[t] = Activations.Scale(x + (long)t * columns, columns, out var inverse);
            Activations.Round(x + (long)t * columns, columns, inverse, codes);
            Activations.Sum(codes, columns, 16, _sums16 + (long)t * (columns / 16));
            Activations.Sum(codes, columns, 32, _sums32 + (long)t * (columns / 32));
        }
    }
}
