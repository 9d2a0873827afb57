using OpenHearth.Kernels.Threading;
using OpenHearth.Kernels.Vectors;

namespace OpenHearth.Kernels.Elementwise;

/// <summary>y = (x - mean(x)) / √(variance(x) + ε) · w + b for each row. Source: Ba, Kiros and Hinton, 2016.</summary>
public static unsafe class LayerNorm
{
    /// <summary>Normalises rows; <paramref name="y"/> may be <paramref name="x"/>.</summary>
    /// <param name="pool">Runs the parts.</param>
    /// <param name="x">[rows, width]</param>
    /// <param name="weight">[width], or empty for none</param>
    /// <param name="bias">[width], or empty for none</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="y">[rows, width]</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="width">Values that share one norm.</param>
    public static void Forward(ComputePool pool, ReadOnlySpan<float> x, ReadOnlySpan<float> weight, ReadOnlySpan<float> bias, float epsilon, Span<float> y, int rows, int width)
    {
        Check.Rows(x.Length, rows, width);
        Check.Rows(y.Length, rows, width);
        Check.Row(weight.Length, width);
        Check.Row(bias.Length, width);
        fixed (float* px = x, pw = weight, pb = bias, py = y)
            RowKernel.Run(pool, new Kernel { X = px, Weight = pw, Bias = pb, Y = py, Epsilon = epsilon, Width = width }, rows, width);
    }

    internal struct Kernel : IRowKernel
    {
        public float* X; // [rows, width]
        public float* Weight; // [width] or null
        public float* Bias; // [width] or null
        public float* Y; // [rows, width]
        public float Epsilon;
        public int Width;

        public readonly void Run<TSimd, TVector>(int first, int end) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            for (var r = (long)first; r < end; r++)
            {
                var x = X + (r * Width);
                var mean = Sum<TSimd, TVector>(x, Width) / Width;
                var scale = 1f / MathF.Sqrt((SquareSum<TSimd, TVector>(x, mean, Width) / Width) + Epsilon);
                Normalise<TSimd, TVector>(x, mean, scale, Y + (r * Width));
            }
        }

        private static float Sum<TSimd, TVector>(float* x, int width) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            var sum = TSimd.Broadcast(0f);
            var i = 0;
            for (; i <= width - TSimd.Count; i += TSimd.Count)
                sum = TSimd.Add(sum, TSimd.Load(x + i));
            var total = TSimd.Sum(sum);
            for (; i < width; i++)
                total += x[i];
            return total;
        }

        private static float SquareSum<TSimd, TVector>(float* x, float mean, int width) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            var sum = TSimd.Broadcast(0f);
            var center = TSimd.Broadcast(mean);
            var i = 0;
            for (; i <= width - TSimd.Count; i += TSimd.Count)
            {
                var distance = TSimd.Subtract(TSimd.Load(x + i), center);
                sum = TSimd.MultiplyAdd(distance, distance, sum);
            }
            var total = TSimd.Sum(sum);
            for (; i < width; i++)
                total += (x[i] - mean) * (x[i] - mean);
            return total;
        }

        private readonly void Normalise<TSimd, TVector>(float* x, float mean, float scale, float* y) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            var center = TSimd.Broadcast(mean);
            var factor = TSimd.Broadcast(scale);
            var i = 0;
            for (; i <= Width - TSimd.Count; i += TSimd.Count)
            {
                var value = TSimd.Multiply(TSimd.Subtract(TSimd.Load(x + i), center), factor);
                if (Weight != null)
                    value = TSimd.Multiply(value, TSimd.Load(Weight + i));
                TSimd.Store(Bias == null ? value : TSimd.Add(value, TSimd.Load(Bias + i)), y + i);
            }
            for (; i < Width; i++)
                y[i] = ((x[i] - mean) * scale * (Weight == null ? 1f : Weight[i])) + (Bias == null ? 0f : Bias[i]);
        }
    }
}
