using OpenHearth.Kernels.Elementwise;
using OpenHearth.Kernels.Threading;
using OpenHearth.Kernels.Vectors;

namespace OpenHearth.Kernels.Recurrence;

/// <summary>
/// y[t] = b + Σ w[j] · x[t - taps + 1 + j], channel by channel: a causal convolution over the last few tokens, the oldest first.
/// What it needs of tokens that came earlier is its state. With two taps it is the token shift of RWKV.
/// </summary>
public static unsafe class ShortConvolution
{
    /// <summary>Convolves tokens of one sequence and leaves the state as it is after them.</summary>
    /// <param name="pool">Runs the parts.</param>
    /// <param name="x">[tokens, channels]</param>
    /// <param name="weight">[taps, channels]</param>
    /// <param name="bias">[channels], or empty for none</param>
    /// <param name="state">[taps - 1, channels] the tokens before, the oldest first; zeros at the start of a sequence</param>
    /// <param name="y">[tokens, channels]; not <paramref name="x"/></param>
    /// <param name="tokens">Number of tokens.</param>
    /// <param name="channels">Values a token.</param>
    public static void Forward(ComputePool pool, ReadOnlySpan<float> x, ReadOnlySpan<float> weight, ReadOnlySpan<float> bias, Span<float> state, Span<float> y, int tokens, int channels)
    {
        Check.Rows(x.Length, tokens, channels);
        Check.Rows(y.Length, tokens, channels);
        Check.Row(bias.Length, channels);
        var taps = weight.Length / channels;
        Check.Rows(weight.Length, Math.Max(taps, 1), channels);
        Check.Rows(state.Length, taps - 1, channels);
        fixed (float* px = x, pw = weight, pb = bias, ps = state, py = y)
            RowKernel.Run(pool, new Kernel { X = px, Weight = pw, Bias = pb, State = ps, Y = py, Taps = taps, Channels = channels }, tokens, channels);
        var kept = (taps - 1) * channels;
        var fresh = tokens * channels;
        if (fresh >= kept)
        {
            x.Slice(fresh - kept, kept).CopyTo(state);
            return;
        }
        state[fresh..kept].CopyTo(state);
        x[..fresh].CopyTo(state[(kept - fresh)..]);
    }

    internal struct Kernel : IRowKernel
    {
        public float* X; // [tokens, channels]
        public float* Weight; // [taps, channels]
        public float* Bias; // [channels] or null
        public float* State; // [taps - 1, channels]
        public float* Y; // [tokens, channels]
        public int Taps;
        public int Channels;

        public readonly void Run<TSimd, TVector>(int first, int end) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            for (var t = first; t < end; t++)
            {
                var y = Y + ((long)t * Channels);
                var c = 0;
                for (; c <= Channels - TSimd.Count; c += TSimd.Count)
                    TSimd.Store(Sum<TSimd, TVector>(t, c), y + c);
                for (; c < Channels; c++)
                    y[c] = Sum<SimdScalar, float>(t, c);
            }
        }

        private readonly TVector Sum<TSimd, TVector>(int t, int c) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            var sum = Bias == null ? TSimd.Broadcast(0f) : TSimd.Load(Bias + c);
            for (var j = 0; j < Taps; j++)
            {
                var source = t - Taps + 1 + j;
                var row = source >= 0 ? X + ((long)source * Channels) : State + ((long)(source + Taps - 1) * Channels);
                sum = TSimd.MultiplyAdd(TSimd.Load(Weight + ((long)j * Channels) + c), TSimd.Load(row + c), sum);
            }
            return sum;
        }
    }
}
