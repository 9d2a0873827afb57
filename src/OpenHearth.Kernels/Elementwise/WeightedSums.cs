using OpenHearth.Kernels.Threading;
using OpenHearth.Kernels.Vectors;

namespace OpenHearth.Kernels.Elementwise;

/// <summary>Rows that are sums of other rows, each with a weight: what the experts of a token give, together.</summary>
public static unsafe class WeightedSums
{
    /// <summary>y[r] = Σ w[r, i] · x[index[r, i]], in the order of i.</summary>
    /// <param name="pool">Runs the parts.</param>
    /// <param name="x">[any, width]</param>
    /// <param name="index">[rows, terms] rows of <paramref name="x"/></param>
    /// <param name="weights">[rows, stride], the first terms of each row; empty for 1</param>
    /// <param name="stride">Values from one row of weights to the next; the last row may end after its terms</param>
    /// <param name="y">[rows, width]; must not overlap <paramref name="x"/></param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="terms">How many are summed; at least 1</param>
    /// <param name="width">Values a row.</param>
    /// <exception cref="ArgumentException">A buffer is too short, or an index is no row of <paramref name="x"/>.</exception>
    public static void Forward(ComputePool pool, ReadOnlySpan<float> x, ReadOnlySpan<int> index, ReadOnlySpan<float> weights, int stride, Span<float> y, int rows, int terms, int width)
    {
        Check.Rows(y.Length, rows, width);
        Check.Rows(index.Length, rows, terms);
        if (!weights.IsEmpty && (stride < terms || weights.Length < ((long)(rows - 1) * stride) + terms))
            throw new ArgumentException($"{weights.Length} weights are no {rows} rows of {terms}.", nameof(weights));
        foreach (var row in index[..(rows * terms)])
        {
            if (row < 0 || x.Length < (row + 1L) * width)
                throw new ArgumentException($"Row {row} is none of {x.Length} values.", nameof(index));
        }
        fixed (float* px = x, pw = weights, py = y)
        {
            fixed (int* pi = index)
                RowKernel.Run(pool, new Kernel { X = px, Index = pi, Weights = weights.IsEmpty ? null : pw, Stride = stride, Y = py, Terms = terms, Width = width }, rows, terms * width);
        }
    }

    private struct Kernel : IRowKernel
    {
        public float* X;
        public int* Index;
        public float* Weights; // or null
        public int Stride;
        public float* Y;
        public int Terms;
        public int Width;

        public readonly void Run<TSimd, TVector>(int first, int end) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            for (var r = (long)first; r < end; r++)
            {
                var i = 0;
                for (; i <= Width - TSimd.Count; i += TSimd.Count)
                    TSimd.Store(Sum<TSimd, TVector>(r, i), Y + (r * Width) + i);
                for (; i < Width; i++)
                    Y[(r * Width) + i] = Sum<SimdScalar, float>(r, i);
            }
        }

        private readonly TVector Sum<TSimd, TVector>(long row, int column) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            var sum = Term<TSimd, TVector>(row, 0, column);
            for (var term = 1; term < Terms; term++)
                sum = TSimd.Add(sum, Term<TSimd, TVector>(row, term, column));
            return sum;
        }

        private readonly TVector Term<TSimd, TVector>(long row, int term, int column) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            var x = TSimd.Load(X + ((long)Index[(row * Terms) + term] * Width) + column);
            return Weights == null ? x : TSimd.Multiply(x, TSimd.Broadcast(Weights[(row * Stride) + term]));
        }
    }
}
