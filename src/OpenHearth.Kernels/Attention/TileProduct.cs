using OpenHearth.Kernels.Vectors;

namespace OpenHearth.Kernels.Attention;

/// <summary>
/// C += A · B on small row-major tiles that lie in the caches of the processor. Columns come in multiples of 16, so that
/// no width of vector leaves a rest; four rows share each load of B.
/// </summary>
internal static unsafe class TileProduct
{
    /// <param name="a">[rows, depth], rows <paramref name="strideA"/> apart</param>
    /// <param name="b">[depth, columns], rows <paramref name="strideB"/> apart</param>
    /// <param name="c">[rows, columns], rows <paramref name="strideC"/> apart</param>
    /// <param name="strideA">Floats from row to row.</param>
    /// <param name="strideB">Floats from row to row.</param>
    /// <param name="strideC">Floats from row to row.</param>
    /// <param name="rows">Any number.</param>
    /// <param name="depth">Any number.</param>
    /// <param name="columns">A multiple of 16.</param>
    public static void MultiplyAdd<TSimd, TVector>(float* a, int strideA, float* b, int strideB, float* c, int strideC, int rows, int depth, int columns)
        where TSimd : struct, ISimd<TVector> where TVector : struct
    {
        var r = 0;
        for (; r <= rows - 4; r += 4)
        {
            var j = 0;
            for (; j <= columns - (2 * TSimd.Count); j += 2 * TSimd.Count)
                FourRows2<TSimd, TVector>(a + ((long)r * strideA), strideA, b + j, strideB, c + ((long)r * strideC) + j, strideC, depth);
            for (; j < columns; j += TSimd.Count)
                FourRows1<TSimd, TVector>(a + ((long)r * strideA), strideA, b + j, strideB, c + ((long)r * strideC) + j, strideC, depth);
        }
        for (; r < rows; r++)
        {
            var j = 0;
            for (; j <= columns - (4 * TSimd.Count); j += 4 * TSimd.Count)
                OneRow4<TSimd, TVector>(a + ((long)r * strideA), b + j, strideB, c + ((long)r * strideC) + j, depth);
            for (; j < columns; j += TSimd.Count)
                OneRow1<TSimd, TVector>(a + ((long)r * strideA), b + j, strideB, c + ((long)r * strideC) + j, depth);
        }
    }

    private static void FourRows2<TSimd, TVector>(float* a, int strideA, float* b, int strideB, float* c, int strideC, int depth)
        where TSimd : struct, ISimd<TVector> where TVector : struct
    {
        var n = TSimd.Count;
        float* a1 = a + strideA, a2 = a1 + strideA, a3 = a2 + strideA;
        float* c1 = c + strideC, c2 = c1 + strideC, c3 = c2 + strideC;
        TVector s00 = TSimd.Load(c), s01 = TSimd.Load(c + n), s10 = TSimd.Load(c1), s11 = TSimd.Load(c1 + n);
        TVector s20 = TSimd.Load(c2), s21 = TSimd.Load(c2 + n), s30 = TSimd.Load(c3), s31 = TSimd.Load(c3 + n);
        for (var k = 0; k < depth; k++)
        {
            TVector b0 = TSimd.Load(b), b1 = TSimd.Load(b + n);
            b += strideB;
            var v = TSimd.Broadcast(a[k]);
            s00 = TSimd.MultiplyAdd(v, b0, s00);
            s01 = TSimd.MultiplyAdd(v, b1, s01);
            v = TSimd.Broadcast(a1[k]);
            s10 = TSimd.MultiplyAdd(v, b0, s10);
            s11 = TSimd.MultiplyAdd(v, b1, s11);
            v = TSimd.Broadcast(a2[k]);
            s20 = TSimd.MultiplyAdd(v, b0, s20);
            s21 = TSimd.MultiplyAdd(v, b1, s21);
            v = TSimd.Broadcast(a3[k]);
            s30 = TSimd.MultiplyAdd(v, b0, s30);
            s31 = TSimd.MultiplyAdd(v, b1, s31);
        }
        TSimd.Store(s00, c);
        TSimd.Store(s01, c + n);
        TSimd.Store(s10, c1);
        TSimd.Store(s11, c1 + n);
        TSimd.Store(s20, c2);
        TSimd.Store(s21, c2 + n);
        TSimd.Store(s30, c3);
        TSimd.Store(s31, c3 + n);
    }

    private static void FourRows1<TSimd, TVector>(float* a, int strideA, float* b, int strideB, float* c, int strideC, int depth)
        where TSimd : struct, ISimd<TVector> where TVector : struct
    {
        float* a1 = a + strideA, a2 = a1 + strideA, a3 = a2 + strideA;
        float* c1 = c + strideC, c2 = c1 + strideC, c3 = c2 + strideC;
        TVector s0 = TSimd.Load(c), s1 = TSimd.Load(c1), s2 = TSimd.Load(c2), s3 = TSimd.Load(c3);
        for (var k = 0; k < depth; k++)
        {
            var b0 = TSimd.Load(b);
            b += strideB;
            s0 = TSimd.MultiplyAdd(TSimd.Broadcast(a[k]), b0, s0);
            s1 = TSimd.MultiplyAdd(TSimd.Broadcast(a1[k]), b0, s1);
            s2 = TSimd.MultiplyAdd(TSimd.Broadcast(a2[k]), b0, s2);
            s3 = TSimd.MultiplyAdd(TSimd.Broadcast(a3[k]), b0, s3);
        }
        TSimd.Store(s0, c);
        TSimd.Store(s1, c1);
        TSimd.Store(s2, c2);
        TSimd.Store(s3, c3);
    }

    private static void OneRow4<TSimd, TVector>(float* a, float* b, int strideB, float* c, int depth) where TSimd : struct, ISimd<TVector> where TVector : struct
    {
        var n = TSimd.Count;
        TVector s0 = TSimd.Load(c), s1 = TSimd.Load(c + n), s2 = TSimd.Load(c + (2 * n)), s3 = TSimd.Load(c + (3 * n));
        for (var k = 0; k < depth; k++)
        {
            var v = TSimd.Broadcast(a[k]);
            s0 = TSimd.MultiplyAdd(v, TSimd.Load(b), s0);
            s1 = TSimd.MultiplyAdd(v, TSimd.Load(b + n), s1);
            s2 = TSimd.MultiplyAdd(v, TSimd.Load(b + (2 * n)), s2);
            s3 = TSimd.MultiplyAdd(v, TSimd.Load(b + (3 * n)), s3);
            b += strideB;
        }
        TSimd.Store(s0, c);
        TSimd.Store(s1, c + n);
        TSimd.Store(s2, c + (2 * n));
        TSimd.Store(s3, c + (3 * n));
    }

    private static void OneRow1<TSimd, TVector>(float* a, float* b, int strideB, float* c, int depth) where TSimd : struct, ISimd<TVector> where TVector : struct
    {
        var sum = TSimd.Load(c);
        for (var k = 0; k < depth; k++)
        {
            sum = TSimd.MultiplyAdd(TSimd.Broadcast(a[k]), TSimd.Load(b), sum);
            b += strideB;
        }
        TSimd.Store(sum, c);
    }
}
