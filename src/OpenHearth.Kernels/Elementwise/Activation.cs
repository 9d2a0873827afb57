using System.Runtime.CompilerServices;
using OpenHearth.Kernels.Threading;
using OpenHearth.Kernels.Vectors;

namespace OpenHearth.Kernels.Elementwise;

/// <summary>The non-linear functions of feed-forward blocks.</summary>
public enum ActivationKind
{
    /// <summary>x · sigmoid(x), also called swish.</summary>
    Silu,

    /// <summary>GELU's tanh form: ½x(1 + tanh(√(2/π)(x + 0.044715x³))).</summary>
    GeluTanh,

    /// <summary>GELU itself: ½x(1 + erf(x/√2)).</summary>
    Gelu,

    /// <summary>max(0, x).</summary>
    Relu,

    /// <summary>max(0, x)².</summary>
    ReluSquared,

    /// <summary>1 / (1 + e^-x).</summary>
    Sigmoid,

    /// <summary>
    /// x · sigmoid(1.702x) with x at most 7; gated, up is clamped to ±7 and one is added to it. Source: OpenAI's gpt-oss model
    /// card and reference code, 2025.
    /// </summary>
    ClampedSwish,
}

/// <summary>y = f(x), and the gated form y = f(gate) · up of Shazeer's "GLU variants", 2020.</summary>
public static unsafe class Activation
{
    /// <summary>Where <see cref="ActivationKind.ClampedSwish"/> cuts off.</summary>
    public const float ClampedSwishLimit = 7f;

    /// <summary>Slope of <see cref="ActivationKind.ClampedSwish"/>'s sigmoid.</summary>
    public const float ClampedSwishSlope = 1.702f;

    /// <summary>y = f(x); <paramref name="y"/> may be <paramref name="x"/>.</summary>
    /// <param name="pool">Runs the parts.</param>
    /// <param name="kind">f</param>
    /// <param name="x">[rows, width]</param>
    /// <param name="y">[rows, width]</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="width">Values a row.</param>
    public static void Forward(ComputePool pool, ActivationKind kind, ReadOnlySpan<float> x, Span<float> y, int rows, int width) =>
        Gate(pool, kind, x, [], y, rows, width);

    /// <summary>y = f(gate) · up; <paramref name="y"/> may be either.</summary>
    /// <param name="pool">Runs the parts.</param>
    /// <param name="kind">f</param>
    /// <param name="gate">[rows, width]</param>
    /// <param name="up">[rows, width], or empty for 1</param>
    /// <param name="y">[rows, width]</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="width">Values a row.</param>
    public static void Gate(ComputePool pool, ActivationKind kind, ReadOnlySpan<float> gate, ReadOnlySpan<float> up, Span<float> y, int rows, int width)
    {
        Check.Rows(gate.Length, rows, width);
        Check.Rows(y.Length, rows, width);
        if (!up.IsEmpty)
            Check.Rows(up.Length, rows, width);
        fixed (float* pg = gate, pu = up, py = y)
            RowKernel.Run(pool, new Kernel { Gate = pg, Up = pu, Y = py, Kind = kind, Width = width }, rows, width);
    }

    internal struct Kernel : IRowKernel
    {
        public float* Gate; // [rows, width]
        public float* Up; // [rows, width] or null
        public float* Y; // [rows, width]
        public ActivationKind Kind;
        public int Width;

        public readonly void Run<TSimd, TVector>(int first, int end) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            var i = (long)first * Width;
            var stop = (long)end * Width;
            for (; i <= stop - TSimd.Count; i += TSimd.Count)
            {
                var value = Apply<TSimd, TVector>(TSimd.Load(Gate + i));
                TSimd.Store(Up == null ? value : TSimd.Multiply(value, Factor<TSimd, TVector>(TSimd.Load(Up + i))), Y + i);
            }
            for (; i < stop; i++)
                Y[i] = Apply<SimdScalar, float>(Gate[i]) * (Up == null ? 1f : Factor<SimdScalar, float>(Up[i]));
        }

        private readonly TVector Factor<TSimd, TVector>(TVector up) where TSimd : struct, ISimd<TVector> where TVector : struct => Kind == ActivationKind.ClampedSwish
            ? TSimd.Add(TSimd.Broadcast(1f), TSimd.Max(TSimd.Broadcast(-ClampedSwishLimit), TSimd.Min(TSimd.Broadcast(ClampedSwishLimit), up)))
            : up;

        private readonly TVector Apply<TSimd, TVector>(TVector x) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            switch (Kind)
            {
                case ActivationKind.Silu:
                    return TSimd.Multiply(x, SimdMath.Sigmoid<TSimd, TVector>(x));
                case ActivationKind.GeluTanh:
                    // ½(1 + tanh z) = sigmoid(2z)
                    var cubic = TSimd.Multiply(TSimd.Multiply(x, x), TSimd.Multiply(x, TSimd.Broadcast(0.044715f)));
                    return TSimd.Multiply(x, SimdMath.Sigmoid<TSimd, TVector>(TSimd.Multiply(TSimd.Broadcast(1.5957691216f), TSimd.Add(x, cubic))));
                case ActivationKind.Gelu:
                    return GeluByErf<TSimd, TVector>(x);
                case ActivationKind.Sigmoid:
                    return SimdMath.Sigmoid<TSimd, TVector>(x);
                case ActivationKind.ClampedSwish:
                    var low = TSimd.Min(TSimd.Broadcast(ClampedSwishLimit), x);
                    return TSimd.Multiply(low, SimdMath.Sigmoid<TSimd, TVector>(TSimd.Multiply(TSimd.Broadcast(ClampedSwishSlope), low)));
                default:
                    var positive = TSimd.Max(TSimd.Broadcast(0f), x);
                    return Kind == ActivationKind.Relu ? positive : TSimd.Multiply(positive, positive);
            }
        }

        // erf by Abramowitz and Stegun 7.1.26 (absolute error 1.5e-7), on |x|/√2, with the sign put back by hand.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static TVector GeluByErf<TSimd, TVector>(TVector x) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            var zero = TSimd.Broadcast(0f);
            var one = TSimd.Broadcast(1f);
            var magnitude = TSimd.Max(x, TSimd.Subtract(zero, x));
            var z = TSimd.Multiply(magnitude, TSimd.Broadcast(0.70710678f));
            var t = TSimd.Divide(one, TSimd.MultiplyAdd(TSimd.Broadcast(0.3275911f), z, one));
            var p = TSimd.MultiplyAdd(TSimd.Broadcast(1.061405429f), t, TSimd.Broadcast(-1.453152027f));
            p = TSimd.MultiplyAdd(p, t, TSimd.Broadcast(1.421413741f));
            p = TSimd.MultiplyAdd(p, t, TSimd.Broadcast(-0.284496736f));
            p = TSimd.Multiply(TSimd.MultiplyAdd(p, t, TSimd.Broadcast(0.254829592f)), t);
            // tail = ½ erfc(z): gelu(x) = max(x, 0) - |x| · tail
            var tail = TSimd.Multiply(TSimd.Multiply(p, SimdMath.Exp<TSimd, TVector>(TSimd.Subtract(zero, TSimd.Multiply(z, z)))), TSimd.Broadcast(0.5f));
            return TSimd.Subtract(TSimd.Max(x, zero), TSimd.Multiply(magnitude, tail));
        }
    }
}
