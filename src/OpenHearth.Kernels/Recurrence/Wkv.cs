using OpenHearth.Kernels.Elementwise;
using OpenHearth.Kernels.Threading;
using OpenHearth.Kernels.Vectors;

namespace OpenHearth.Kernels.Recurrence;

/// <summary>
/// The attention of RWKV 4: for each channel a mean of the values so far, weighed by e^key, where weights fade by a factor e^-decay a
/// token and the newest value has a bonus. Source: Peng et al., RWKV, 2023, section 3 and appendix D.
/// </summary>
public static unsafe class Wkv
{
    // So many channels are one part of the work.
    private const int Block = 64;

    /// <summary>Attends from tokens of one sequence and leaves the state as it is after them.</summary>
    /// <param name="pool">Runs the parts.</param>
    /// <param name="k">[tokens, channels]</param>
    /// <param name="v">[tokens, channels]</param>
    /// <param name="decay">[channels] logarithm of the factor that is left after a token: not above 0</param>
    /// <param name="first">[channels] bonus of the newest token</param>
    /// <param name="state">[3, channels] sum of values, sum of weights, and the logarithm by which both are scaled; zeros at the start of a sequence</param>
    /// <param name="y">[tokens, channels]; may be <paramref name="k"/> or <paramref name="v"/></param>
    /// <param name="tokens">Number of tokens.</param>
    /// <param name="channels">Values a token.</param>
    public static void Forward(
        ComputePool pool, ReadOnlySpan<float> k, ReadOnlySpan<float> v, ReadOnlySpan<float> decay, ReadOnlySpan<float> first, Span<float> state, Span<float> y, int tokens, int channels)
    {
        Check.Rows(k.Length, tokens, channels);
        Check.Rows(v.Length, tokens, channels);
        Check.Rows(y.Length, tokens, channels);
        Check.Rows(decay.Length, 1, channels);
        Check.Rows(first.Length, 1, channels);
        Check.Rows(state.Length, 3, channels);
        for (var c = 0; c < channels; c++)
        {
            // Nothing has been seen, so that the first key, however small, must set the scale.
            if (state[channels + c] == 0f)
                state[(2 * channels) + c] = -1e30f;
        }
        fixed (float* pk = k, pv = v, pd = decay, pf = first, ps = state, py = y)
        {
            var kernel = new Kernel { K = pk, V = pv, Decay = pd, First = pf, State = ps, Y = py, Tokens = tokens, Channels = channels };
            RowKernel.Run(pool, kernel, (channels + Block - 1) / Block, (int)Math.Min(int.MaxValue, (long)tokens * Block * 8));
        }
    }

    /// <summary>A row of it is a block of channels.</summary>
    internal struct Kernel : IRowKernel
    {
        public float* K; // [tokens, channels]
        public float* V; // [tokens, channels]
        public float* Decay; // [channels]
        public float* First; // [channels]
        public float* State; // [3, channels]
        public float* Y; // [tokens, channels]
        public int Tokens;
        public int Channels;

        public readonly void Run<TSimd, TVector>(int first, int end) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            var c = first * Block;
            var stop = Math.Min(end * Block, Channels);
            for (; c <= stop - TSimd.Count; c += TSimd.Count)
                RunChannels<TSimd, TVector>(c);
            for (; c < stop; c++)
                RunChannels<SimdScalar, float>(c);
        }

        private readonly void RunChannels<TSimd, TVector>(int c) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            var sum = TSimd.Load(State + c);
            var weight = TSimd.Load(State + Channels + c);
            var scale = TSimd.Load(State + (2 * Channels) + c);
            var decay = TSimd.Load(Decay + c);
            var bonus = TSimd.Load(First + c);
            for (var t = 0L; t < Tokens; t++)
            {
                var k = TSimd.Load(K + (t * Channels) + c);
                var v = TSimd.Load(V + (t * Channels) + c);
                var favoured = TSimd.Add(k, bonus);
                var largest = TSimd.Max(scale, favoured);
                var past = SimdMath.Exp<TSimd, TVector>(TSimd.Subtract(scale, largest));
                var now = SimdMath.Exp<TSimd, TVector>(TSimd.Subtract(favoured, largest));
                TSimd.Store(TSimd.Divide(TSimd.MultiplyAdd(past, sum, TSimd.Multiply(now, v)), TSimd.MultiplyAdd(past, weight, now)), Y + (t * Channels) + c);
                var faded = TSimd.Add(scale, decay);
                scale = TSimd.Max(faded, k);
                past = SimdMath.Exp<TSimd, TVector>(TSimd.Subtract(faded, scale));
                now = SimdMath.Exp<TSimd, TVector>(TSimd.Subtract(k, scale));
                sum = TSimd.MultiplyAdd(past, sum, TSimd.Multiply(now, v));
                weight = TSimd.MultiplyAdd(past, weight, now);
            }
            TSimd.Store(sum, State + c);
            TSimd.Store(weight, State + Channels + c);
            TSimd.Store(scale, State + (2 * Channels) + c);
        }
    }
}
