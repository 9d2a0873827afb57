using OpenHearth.Kernels.Threading;
using OpenHearth.Kernels.Vectors;

namespace OpenHearth.Kernels.Elementwise;

/// <summary>y = x / √(mean(x²) + ε) · w for each row. Source: Zhang and Sennrich, 2019.</summary>
public static unsafe class RmsNorm
{
    /// <summary>Normalises rows; <paramref name="y"/> may be <paramref name="x"/>.</summary>
    /// <param name="pool">Runs the parts.</param>
    /// <param name="x">[rows, width]</param>
    /// <param name="weight">[width], or empty for none</param>
    /// <param name="epsilon">Added to the mean square.</param>
    /// <param name="y">[rows, width]</param>
    /// <param name="rows">Number of rows (tokens, or tokens times heads).</param>
    /// <param name="width">Values that share one norm.</param>
    public static void Forward(ComputePool pool, ReadOnlySpan<float> x, ReadOnlySpan<float> weight, float epsilon, Span<float> y, int rows, int width)
    {
        Check.Rows(x.Length, rows, width);
        Check.Rows(y.Length, rows, width);
        Check.Row(weight.Length, width);
        fixed (float* px = x, pw = weight, py = y)
            RowKernel.Run(pool, new Kernel { X = px, Weight = pw, Y = py, Epsilon = epsilon, Width = width }, rows, width);
    }

    /// <summary>sum = a + b, then y = norm(sum): the residual stream and what the next block reads, in one pass.</summary>
    /// <param name="pool">Runs the parts.</param>
    /// <param name="a">[rows, width]</param>
    /// <param name="b">[rows, width]</param>
    /// <param name="weight">[width], or empty for none</param>
    /// <param name="epsilon">Added to the mean square.</param>
    /// <param name="sum">[rows, width]; may be <paramref name="a"/> or <paramref name="b"/></param>
    /// <param name="y">[rows, width]; none of the others</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="width">Values that share one norm.</param>
    public static void AddForward(
        ComputePool pool, ReadOnlySpan<float> a, ReadOnlySpan<float> b, ReadOnlySpan<float> weight, float epsilon, Span<float> sum, Span<float> y, int rows, int width)
    {
        Check.Rows(a.Length, rows, width);
        Check.Rows(b.Length, rows, width);
        Check.Rows(sum.Length, rows, width);
        Check.Rows(y.Length, rows, width);
        Check.Row(weight.Length, width);
        fixed (float* pa = a, pb = b, pw = weight, ps = sum, py = y)
            RowKernel.Run(pool, new Kernel { X = pa, Residual = pb, Sum = ps, Weight = pw, Y = py, Epsilon = epsilon, Width = width }, rows, width);
    }

    internal struct Kernel : IRowKernel
    {
        public float* X; // [rows, width]
        public float* Residual; // [rows, width] or null
        public float* Sum; // [rows, width] where Residual is not null
        public float* Weight; // [width] or null
        public float* Y; // [rows, width]
        public float Epsilon;
        public int Width;

        public readonly void Run<TSimd, TVector>(int first, int end) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            for (var r = (long)first; r < end; r++)
            {
                var x = X + (r * Width);
                if (Residual != null)
                {
                    AddRow<TSimd, TVector>(x, Residual + (r * Width), Sum + (r * Width), Width);
                    x = Sum + (r * Width);
                }
                var scale = 1f / MathF.Sqrt((SquareSum<TSimd, TVector>(x, Width) / Width) + Epsilon);
                ScaleRow<TSimd, TVector>(x, scale, Weight, Y + (r * Width), Width);
            }
        }

        private static void AddRow<TSimd, TVector>(float* a, float* b, float* sum, int width) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            var i = 0;
            for (; i <= width - TSimd.Count; i += TSimd.Count)
                TSimd.Store(TSimd.Add(TSimd.Load(a + i), TSimd.Load(b + i)), sum + i);
            for (; i < width; i++)
                sum[i] = a[i] + b[i];
        }

        private static float SquareSum<TSimd, TVector>(float* x, int width) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            var even = TSimd.Broadcast(0f);
            var odd = even;
            var i = 0;
            for (; i <= width - (2 * TSimd.Count); i += 2 * TSimd.Count)
            {
                var a = TSimd.Load(x + i);
                var b = TSimd.Load(x + i + TSimd.Count);
                even = TSimd.MultiplyAdd(a, a, even);
                odd = TSimd.MultiplyAdd(b, b, odd);
            }
            var sum = TSimd.Sum(TSimd.Add(even, odd));
            for (; i < width; i++)
                sum += x[i] * x[i];
            return sum;
        }

        private static void ScaleRow<TSimd, TVector>(float* x, float scale, float* weight, float* y, int width) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            var factor = TSimd.Broadcast(scale);
            var i = 0;
            for (; i <= width - TSimd.Count; i += TSimd.Count)
            {
                var value = TSimd.Multiply(TSimd.Load(x + i), factor);
                TSimd.Store(weight == null ? value : TSimd.Multiply(value, TSimd.Load(weight + i)), y + i);
            }
            for (; i < width; i++)
                y[i] = x[i] * scale * (weight == null ? 1f : weight[i]);
        }
    }
}
