using System.Numerics;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Kernels.MatMul;

/// <summary>y = x · Wᵀ for one activation row or many.</summary>
public static unsafe class Product
{
    /// <summary>Multiplies <paramref name="tokens"/> rows of activations with a weight matrix.</summary>
    /// <param name="pool">Runs the parts; one product at a time.</param>
    /// <param name="weights">[rows, columns]</param>
    /// <param name="x">[tokens, columns]</param>
    /// <param name="y">[tokens, rows], overwritten</param>
    /// <param name="tokens">Number of activation rows.</param>
    /// <param name="precision">Whether activations may be rounded.</param>
    public static void Multiply(ComputePool pool, Matrix weights, ReadOnlySpan<float> x, Span<float> y, int tokens, Precision precision)
    {
        _ = precision;
        ArgumentOutOfRangeException.ThrowIfLessThan(x.Length, tokens * weights.Columns, nameof(x));
        ArgumentOutOfRangeException.ThrowIfLessThan(y.Length, tokens * weights.Rows, nameof(y));
        fixed (float* px = x, py = y)
        {
            var job = new DecodedRows { Weights = weights, X = px, Y = py, Tokens = tokens };
            pool.Run(ref job);
        }
    }

    /// <summary>Decodes a row at a time and takes its dot product with every token: right for every format, fast for none.</summary>
    private struct DecodedRows : IJob
    {
        public Matrix Weights;
        public float* X; // [tokens, columns]
        public float* Y; // [tokens, rows]
        public int Tokens;

        public readonly void Execute(int part, int parts)
        {
            var first = (int)((long)Weights.Rows * part / parts);
            var end = (int)((long)Weights.Rows * (part + 1) / parts);
            var row = stackalloc float[Weights.Columns];
            for (var r = first; r < end; r++)
            {
                Weights.DecodeRow(r, new Span<float>(row, Weights.Columns));
                for (var t = 0; t < Tokens; t++)
                    Y[(long)t * Weights.Rows + r] = Dot(row, X + (long)t * Weights.Columns, Weights.Columns);
            }
        }

        private static float Dot(float* a, float* b, int length)
        {
            var sum = Vector<float>.Zero;
            var i = 0;
            for (; i <= length - Vector<float>.Count; i += Vector<float>.Count)
                sum = Vector.FusedMultiplyAdd(Vector.Load(a + i), Vector.Load(b + i), sum);
            var total = Vector.Sum(sum);
            for (; i < length; i++)
                total += a[i] * b[i];
            return total;
        }
    }
}
