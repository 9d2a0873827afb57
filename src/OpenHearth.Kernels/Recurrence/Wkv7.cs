using OpenHearth.Kernels.Elementwise;
using OpenHearth.Kernels.Threading;
using OpenHearth.Kernels.Vectors;

namespace OpenHearth.Kernels.Recurrence;

/// <summary>
/// The state of RWKV 7, a matrix [keys, values] for each head: S = diag(e^(-fade / √e)) · S - (κ · a) · (κᵀ · S) + k · vᵀ, then y = Sᵀ · r.
/// κ is the direction of a key, and a says how much of what the matrix holds there is replaced. Source: Peng et al., RWKV-7 "Goose", 2025.
/// </summary>
public static unsafe class Wkv7
{
    /// <summary>The widest head.</summary>
    public const int WidestHead = 1024;

    /// <summary>Takes tokens of one sequence in and leaves the state as it is after them.</summary>
    /// <param name="pool">Runs the parts.</param>
    /// <param name="r">[tokens, heads · width] what is asked for</param>
    /// <param name="fade">[tokens, heads · width] from 0 to 1</param>
    /// <param name="k">[tokens, heads · width]</param>
    /// <param name="v">[tokens, heads · width]</param>
    /// <param name="direction">[tokens, heads · width] κ, of length 1 in each head</param>
    /// <param name="replaced">[tokens, heads · width] a, from 0 to 1</param>
    /// <param name="state">[heads, width, width]; zeros at the start of a sequence</param>
    /// <param name="y">[tokens, heads · width]; none of the others</param>
    /// <param name="tokens">Number of tokens.</param>
    /// <param name="heads">Number of heads.</param>
    public static void Forward(
        ComputePool pool, ReadOnlySpan<float> r, ReadOnlySpan<float> fade, ReadOnlySpan<float> k, ReadOnlySpan<float> v,
        ReadOnlySpan<float> direction, ReadOnlySpan<float> replaced, Span<float> state, Span<float> y, int tokens, int heads)
    {
        var width = tokens == 0 ? 1 : y.Length / tokens / heads;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(width, WidestHead, nameof(y));
        Check.Rows(y.Length, tokens, heads * width);
        Check.Rows(r.Length, tokens, heads * width);
        Check.Rows(fade.Length, tokens, heads * width);
        Check.Rows(k.Length, tokens, heads * width);
        Check.Rows(v.Length, tokens, heads * width);
        Check.Rows(direction.Length, tokens, heads * width);
        Check.Rows(replaced.Length, tokens, heads * width);
        Check.Rows(state.Length, heads * width, width);
        fixed (float* pr = r, pf = fade, pk = k, pv = v, pd = direction, pa = replaced, ps = state, py = y)
        {
            var kernel = new Kernel { R = pr, Fade = pf, K = pk, V = pv, Direction = pd, Replaced = pa, State = ps, Y = py, Tokens = tokens, Heads = heads, Width = width };
            RowKernel.Run(pool, kernel, heads, (int)Math.Min(int.MaxValue, (long)tokens * width * width));
        }
    }

    /// <summary>A row of it is a head.</summary>
    internal struct Kernel : IRowKernel
    {
        public float* R; // all [tokens, heads, width]
        public float* Fade;
        public float* K;
        public float* V;
        public float* Direction;
        public float* Replaced;
        public float* State; // [heads, width, width]
        public float* Y; // [tokens, heads, width]
        public int Tokens;
        public int Heads;
        public int Width;

        public readonly void Run<TSimd, TVector>(int first, int end) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            var decay = stackalloc float[Width];
            for (var head = first; head < end; head++)
            {
                for (var t = 0L; t < Tokens; t++)
                {
                    var at = ((t * Heads) + head) * Width;
                    for (var i = 0; i < Width; i++)
                        decay[i] = MathF.Exp(-0.60653066f * Fade[at + i]);
                    var c = 0;
                    for (; c <= Width - TSimd.Count; c += TSimd.Count)
                        Column<TSimd, TVector>(head, at, c, decay);
                    for (; c < Width; c++)
                        Column<SimdScalar, float>(head, at, c, decay);
                }
            }
        }

        private readonly void Column<TSimd, TVector>(int head, long at, int c, float* decay) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            var s = State + ((long)head * Width * Width) + c;
            var known = TSimd.Broadcast(0f);
            for (var i = 0; i < Width; i++)
                known = TSimd.MultiplyAdd(TSimd.Load(s + ((long)i * Width)), TSimd.Broadcast(Direction[at + i]), known);
            var v = TSimd.Load(V + at + c);
            var sum = TSimd.Broadcast(0f);
            for (var i = 0; i < Width; i++)
            {
                var row = s + ((long)i * Width);
                var next = TSimd.MultiplyAdd(v, TSimd.Broadcast(K[at + i]), TSimd.Multiply(TSimd.Load(row), TSimd.Broadcast(decay[i])));
                next = TSimd.MultiplyAdd(known, TSimd.Broadcast(-Direction[at + i] * Replaced[at + i]), next);
                TSimd.Store(next, row);
                sum = TSimd.MultiplyAdd(next, TSimd.Broadcast(R[at + i]), sum);
            }
            TSimd.Store(sum, Y + at + c);
        }
    }
}
