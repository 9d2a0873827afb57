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
            switch (Kind)
            {
                case ActivationKind.Silu:
                    Loop<TSimd, TVector, Silu>(first, end);
                    break;
                case ActivationKind.GeluTanh:
                    Loop<TSimd, TVector, GeluTanh>(first, end);
                    break;
                case ActivationKind.Gelu:
                    Loop<TSimd, TVector, Gelu>(first, end);
                    break;
                case ActivationKind.Sigmoid:
                    Loop<TSimd, TVector, Sigmoid>(first, end);
                    break;
                case ActivationKind.ClampedSwish:
                    Loop<TSimd, TVector, ClampedSwish>(first, end);
                    break;
                case ActivationKind.ReluSquared:
                    Loop<TSimd, TVector, ReluSquared>(first, end);
                    break;
                default:
                    Loop<TSimd, TVector, Relu>(first, end);
                    break;
            }
        }

        // A loop a function: chosen within the loop, each vector would pay for a call and for its constants.
        private readonly void Loop<TSimd, TVector, TFunction>(int first, int end)
            where TSimd : struct, ISimd<TVector> where TVector : struct where TFunction : struct, IActivationFunction
        {
            var i = (long)first * Width;
            var stop = (long)end * Width;
            for (; i <= stop - TSimd.Count; i += TSimd.Count)
            {
                var value = TFunction.Apply<TSimd, TVector>(TSimd.Load(Gate + i));
                TSimd.Store(Up == null ? value : TSimd.Multiply(value, TFunction.Factor<TSimd, TVector>(TSimd.Load(Up + i))), Y + i);
            }
            for (; i < stop; i++)
                Y[i] = TFunction.Apply<SimdScalar, float>(Gate[i]) * (Up == null ? 1f : TFunction.Factor<SimdScalar, float>(Up[i]));
        }
    }
}
