using OpenHearth.Kernels.Threading;
using OpenHearth.Kernels.Vectors;

namespace OpenHearth.Kernels.Elementwise;

/// <summary>
/// y = round(x · s) / s with s = 127 / max(|x|, 10⁻⁵) of each row: activations of 8 bits, as models of ternary weights are
/// trained with. Source: Ma et al., The Era of 1-bit LLMs, 2024, equations 4 and 5.
/// </summary>
public static unsafe class ByteRounding
{
    private const float Most = 127f, Least = 1e-5f;

    /// <summary>Rounds rows; <paramref name="y"/> may be <paramref name="x"/>.</summary>
    /// <param name="pool">Runs the parts.</param>
    /// <param name="x">[rows, width]</param>
    /// <param name="y">[rows, width]</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="width">Values that share a scale.</param>
    public static void Forward(ComputePool pool, ReadOnlySpan<float> x, Span<float> y, int rows, int width)
    {
        Check.Rows(x.Length, rows, width);
        Check.Rows(y.Length, rows, width);
        fixed (float* px = x, py = y)
            RowKernel.Run(pool, new Kernel { X = px, Y = py, Width = width }, rows, width);
    }

    internal struct Kernel : IRowKernel
    {
        public float* X; // [rows, width]
        public float* Y; // [rows, width]
        public int Width;

        public readonly void Run<TSimd, TVector>(int first, int end) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            for (var r = (long)first; r < end; r++)
            {
                float* x = X + (r * Width), y = Y + (r * Width);
                var scale = Most / MathF.Max(Largest<TSimd, TVector>(x), Least);
                var factor = TSimd.Broadcast(scale);
                var i = 0;
                for (; i <= Width - TSimd.Count; i += TSimd.Count)
                    TSimd.Store(TSimd.Divide(TSimd.Round(TSimd.Multiply(TSimd.Load(x + i), factor)), factor), y + i);
                for (; i < Width; i++)
                    y[i] = MathF.Round(x[i] * scale) / scale;
            }
        }

        private readonly float Largest<TSimd, TVector>(float* x) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            var zero = TSimd.Broadcast(0f);
            var most = zero;
            var i = 0;
            for (; i <= Width - TSimd.Count; i += TSimd.Count)
            {
                var value = TSimd.Load(x + i);
                most = TSimd.Max(TSimd.Max(value, TSimd.Subtract(zero, value)), most);
            }
            var largest = TSimd.Largest(most);
            for (; i < Width; i++)
                largest = MathF.Max(largest, MathF.Abs(x[i]));
            return largest;
        }
    }
}
