using OpenHearth.Kernels.Threading;
using OpenHearth.Kernels.Vectors;

namespace OpenHearth.Kernels.Elementwise;

/// <summary>Sums, products and scalings of rows. Every result may overwrite an operand.</summary>
public static unsafe class Arithmetic
{
    /// <summary>y = a + b.</summary>
    /// <param name="pool">Runs the parts.</param>
    /// <param name="a">[rows, width]</param>
    /// <param name="b">[rows, width], or [width] to add the same to every row</param>
    /// <param name="y">[rows, width]</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="width">Values a row.</param>
    public static void Add(ComputePool pool, ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> y, int rows, int width) =>
        Run(pool, a, b, 1f, Operation.Add, y, rows, width);

    /// <summary>y = a · b, value by value.</summary>
    /// <param name="pool">Runs the parts.</param>
    /// <param name="a">[rows, width]</param>
    /// <param name="b">[rows, width], or [width] to multiply every row with the same</param>
    /// <param name="y">[rows, width]</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="width">Values a row.</param>
    public static void Multiply(ComputePool pool, ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> y, int rows, int width) =>
        Run(pool, a, b, 1f, Operation.Multiply, y, rows, width);

    /// <summary>y = x · factor.</summary>
    /// <param name="pool">Runs the parts.</param>
    /// <param name="x">[rows, width]</param>
    /// <param name="factor">The same for all.</param>
    /// <param name="y">[rows, width]</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="width">Values a row.</param>
    public static void Scale(ComputePool pool, ReadOnlySpan<float> x, float factor, Span<float> y, int rows, int width) =>
        Run(pool, x, [], factor, Operation.Scale, y, rows, width);

    /// <summary>y = cap · tanh(x / cap).</summary>
    /// <param name="pool">Runs the parts.</param>
    /// <param name="x">[rows, width]</param>
    /// <param name="cap">The bound that results approach.</param>
    /// <param name="y">[rows, width]</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="width">Values a row.</param>
    public static void SoftCap(ComputePool pool, ReadOnlySpan<float> x, float cap, Span<float> y, int rows, int width) =>
        Run(pool, x, [], cap, Operation.SoftCap, y, rows, width);

    /// <summary>y = x, but at least -limit and at most limit.</summary>
    /// <param name="pool">Runs the parts.</param>
    /// <param name="x">[rows, width]</param>
    /// <param name="limit">Not negative.</param>
    /// <param name="y">[rows, width]</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="width">Values a row.</param>
    public static void Clamp(ComputePool pool, ReadOnlySpan<float> x, float limit, Span<float> y, int rows, int width) =>
        Run(pool, x, [], limit, Operation.Clamp, y, rows, width);

    private static void Run(ComputePool pool, ReadOnlySpan<float> a, ReadOnlySpan<float> b, float scalar, Operation operation, Span<float> y, int rows, int width)
    {
        Check.Rows(a.Length, rows, width);
        Check.Rows(y.Length, rows, width);
        if (operation is Operation.Add or Operation.Multiply && b.Length != width)
            Check.Rows(b.Length, rows, width);
        fixed (float* pa = a, pb = b, py = y)
        {
            var kernel = new Kernel { A = pa, B = pb, Stride = b.Length == width ? 0 : width, Scalar = scalar, Operation = operation, Y = py, Width = width };
            RowKernel.Run(pool, kernel, rows, width);
        }
    }

    internal enum Operation
    {
        Add,
        Multiply,
        Scale,
        SoftCap,
        Clamp,
    }

    internal struct Kernel : IRowKernel
    {
        public float* A; // [rows, width]
        public float* B; // [rows, width], [width] where Stride is 0, or null
        public float* Y; // [rows, width]
        public int Stride;
        public int Width;
        public float Scalar;
        public Operation Operation;

        public readonly void Run<TSimd, TVector>(int first, int end) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            for (var r = (long)first; r < end; r++)
            {
                var a = A + (r * Width);
                var b = B + (r * Stride);
                var y = Y + (r * Width);
                var i = 0;
                for (; i <= Width - TSimd.Count; i += TSimd.Count)
                    TSimd.Store(Apply<TSimd, TVector>(TSimd.Load(a + i), b, i), y + i);
                for (; i < Width; i++)
                    y[i] = Apply<SimdScalar, float>(a[i], b, i);
            }
        }

        private readonly TVector Apply<TSimd, TVector>(TVector a, float* b, int i) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            switch (Operation)
            {
                case Operation.Add:
                    return TSimd.Add(a, TSimd.Load(b + i));
                case Operation.Multiply:
                    return TSimd.Multiply(a, TSimd.Load(b + i));
                case Operation.Scale:
                    return TSimd.Multiply(a, TSimd.Broadcast(Scalar));
                case Operation.Clamp:
                    return TSimd.Min(TSimd.Max(a, TSimd.Broadcast(-Scalar)), TSimd.Broadcast(Scalar));
                default:
                    var cap = TSimd.Broadcast(Scalar);
                    return TSimd.Multiply(cap, SimdMath.Tanh<TSimd, TVector>(TSimd.Divide(a, cap)));
            }
        }
    }
}
