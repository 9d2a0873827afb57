using OpenHearth.Kernels.Elementwise;
using OpenHearth.Kernels.Threading;
using OpenHearth.Kernels.Vectors;

namespace OpenHearth.Kernels.Recurrence;

/// <summary>
/// How long a token lasts and how much of the past outlives it: Δ = softplus(x + b) and e^(a · Δ), where a is negative. Source: Gu and Dao, Mamba, 2023.
/// </summary>
public static unsafe class Decay
{
    /// <summary>y = ln(1 + e^(x + b)), or e to the power of a times that.</summary>
    /// <param name="pool">Runs the parts.</param>
    /// <param name="x">[rows, width]</param>
    /// <param name="bias">[width] b</param>
    /// <param name="rate">[width] a, or empty for Δ itself</param>
    /// <param name="y">[rows, width]; may be <paramref name="x"/></param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="width">Values a row.</param>
    public static void Forward(ComputePool pool, ReadOnlySpan<float> x, ReadOnlySpan<float> bias, ReadOnlySpan<float> rate, Span<float> y, int rows, int width)
    {
        Check.Rows(x.Length, rows, width);
        Check.Rows(y.Length, rows, width);
        Check.Rows(bias.Length, 1, width);
        Check.Row(rate.Length, width);
        fixed (float* px = x, pb = bias, pr = rate, py = y)
            RowKernel.Run(pool, new Kernel { X = px, Bias = pb, Rate = pr, Y = py, Width = width }, rows, width);
    }

    internal struct Kernel : IRowKernel
    {
        public float* X; // [rows, width]
        public float* Bias; // [width]
        public float* Rate; // [width] or null
        public float* Y; // [rows, width]
        public int Width;

        // Value by value: there are few, and a logarithm that is right near 0 is worth more here than a fast one.
        public readonly void Run<TSimd, TVector>(int first, int end) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            for (var r = (long)first; r < end; r++)
            {
                for (var i = 0; i < Width; i++)
                {
                    var x = X[(r * Width) + i] + Bias[i];
                    var step = MathF.Max(x, 0f) + LogOnePlus(MathF.Exp(-MathF.Abs(x)));
                    Y[(r * Width) + i] = Rate == null ? step : MathF.Exp(Rate[i] * step);
                }
            }
        }

        // ln(1 + e) without losing the digits of a small e. Source: Goldberg, "What Every Computer Scientist …", 1991, theorem 4.
        private static float LogOnePlus(float e)
        {
            var sum = 1f + e;
            return sum == 1f ? e : MathF.Log(sum) * (e / (sum - 1f));
        }
    }
}
