using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Cpu;

namespace OpenHearth.Kernels.MatMul;

/// <summary>
/// Dot products of every row with every token, in F32. Each is summed in the lanes of one vector from first to last,
/// so that a result does not depend on how rows and tokens are grouped.
/// </summary>
internal static unsafe class FloatDots
{
    /// <summary>Computes y[t · yStride + r] = Σ rows[r, k] · x[t, k].</summary>
    /// <param name="level">The instructions to use.</param>
    /// <param name="rows">[rowCount, columns]</param>
    /// <param name="rowCount">Rows.</param>
    /// <param name="x">[tokens, columns]</param>
    /// <param name="tokens">Tokens.</param>
    /// <param name="columns">Values in a row.</param>
    /// <param name="y">First result.</param>
    /// <param name="yStride">Distance from one token's results to the next's.</param>
    public static void Multiply(CpuLevel level, float* rows, int rowCount, float* x, int tokens, int columns, float* y, int yStride)
    {
        var wide = level >= CpuLevel.Avx512;
        var t = 0;
        var step = wide ? 4 : 2;
        for (; level > CpuLevel.Scalar && t + step <= tokens; t += step)
        {
            var r = 0;
            for (; r + 4 <= rowCount; r += 4)
            {
                if (wide)
                    FourByFour(rows + (long)r * columns, x + (long)t * columns, columns, y + (long)t * yStride + r, yStride);
                else
                    FourByTwo(rows + (long)r * columns, x + (long)t * columns, columns, y + (long)t * yStride + r, yStride);
            }
            for (; r < rowCount; r++)
            {
                for (var i = t; i < t + step; i++)
                    y[(long)i * yStride + r] = One(level, rows + (long)r * columns, x + (long)i * columns, columns);
            }
        }
        for (; t < tokens; t++)
        {
            for (var r = 0; r < rowCount; r++)
                y[(long)t * yStride + r] = One(level, rows + (long)r * columns, x + (long)t * columns, columns);
        }
    }

    private static float One(CpuLevel level, float* a, float* b, int length) => level switch
    {
        >= CpuLevel.Avx512 => One512(a, b, length),
        > CpuLevel.Scalar => One256(a, b, length),
        _ => Rest(0, a, b, 0, length),
    };

    private static float One512(float* a, float* b, int length)
    {
        var sum = Vector512<float>.Zero;
        var i = 0;
        for (; i <= length - 16; i += 16)
            sum = Fma(a + i, b + i, sum);
        return Rest(Vector512.Sum(sum), a, b, i, length);
    }

    private static float One256(float* a, float* b, int length)
    {
        var sum = Vector256<float>.Zero;
        var i = 0;
        for (; i <= length - 8; i += 8)
            sum = Vector256.MultiplyAddEstimate(Vector256.Load(a + i), Vector256.Load(b + i), sum);
        return Rest(Vector256.Sum(sum), a, b, i, length);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Rest(float sum, float* a, float* b, int i, int length)
    {
        for (; i < length; i++)
            sum += a[i] * b[i];
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Fma(float* a, float* b, Vector512<float> sum) =>
        Vector512.MultiplyAddEstimate(Vector512.Load(a), Vector512.Load(b), sum);

    private static void FourByFour(float* rows, float* x, int columns, float* y, int yStride)
    {
        Vector512<float> s00 = default, s01 = default, s02 = default, s03 = default, s10 = default, s11 = default, s12 = default, s13 = default;
        Vector512<float> s20 = default, s21 = default, s22 = default, s23 = default, s30 = default, s31 = default, s32 = default, s33 = default;
        float* r0 = rows, r1 = r0 + columns, r2 = r1 + columns, r3 = r2 + columns;
        float* x0 = x, x1 = x0 + columns, x2 = x1 + columns, x3 = x2 + columns;
        var i = 0;
        for (; i <= columns - 16; i += 16)
        {
            var (w0, w1, w2, w3) = (Vector512.Load(r0 + i), Vector512.Load(r1 + i), Vector512.Load(r2 + i), Vector512.Load(r3 + i));
            var v = Vector512.Load(x0 + i);
            s00 = Vector512.MultiplyAddEstimate(w0, v, s00);
            s01 = Vector512.MultiplyAddEstimate(w1, v, s01);
            s02 = Vector512.MultiplyAddEstimate(w2, v, s02);
            s03 = Vector512.MultiplyAddEstimate(w3, v, s03);
            v = Vector512.Load(x1 + i);
            s10 = Vector512.MultiplyAddEstimate(w0, v, s10);
            s11 = Vector512.MultiplyAddEstimate(w1, v, s11);
            s12 = Vector512.MultiplyAddEstimate(w2, v, s12);
            s13 = Vector512.MultiplyAddEstimate(w3, v, s13);
            v = Vector512.Load(x2 + i);
            s20 = Vector512.MultiplyAddEstimate(w0, v, s20);
            s21 = Vector512.MultiplyAddEstimate(w1, v, s21);
            s22 = Vector512.MultiplyAddEstimate(w2, v, s22);
            s23 = Vector512.MultiplyAddEstimate(w3, v, s23);
            v = Vector512.Load(x3 + i);
            s30 = Vector512.MultiplyAddEstimate(w0, v, s30);
            s31 = Vector512.MultiplyAddEstimate(w1, v, s31);
            s32 = Vector512.MultiplyAddEstimate(w2, v, s32);
            s33 = Vector512.MultiplyAddEstimate(w3, v, s33);
        }
        Store(s00, s01, s02, s03, r0, r1, r2, r3, x0, i, columns, y);
        Store(s10, s11, s12, s13, r0, r1, r2, r3, x1, i, columns, y + yStride);
        Store(s20, s21, s22, s23, r0, r1, r2, r3, x2, i, columns, y + 2L * yStride);
        Store(s30, s31, s32, s33, r0, r1, r2, r3, x3, i, columns, y + 3L * yStride);
    }

    private static void Store(
        Vector512<float> s0, Vector512<float> s1, Vector512<float> s2, Vector512<float> s3,
        float* r0, float* r1, float* r2, float* r3, float* x, int i, int columns, float* y)
    {
        y[0] = Rest(Vector512.Sum(s0), r0, x, i, columns);
        y[1] = Rest(Vector512.Sum(s1), r1, x, i, columns);
        y[2] = Rest(Vector512.Sum(s2), r2, x, i, columns);
        y[3] = Rest(Vector512.Sum(s3), r3, x, i, columns);
    }

    private static void FourByTwo(float* rows, float* x, int columns, float* y, int yStride)
    {
        Vector256<float> s00 = default, s01 = default, s02 = default, s03 = default, s10 = default, s11 = default, s12 = default, s13 = default;
        float* r0 = rows, r1 = r0 + columns, r2 = r1 + columns, r3 = r2 + columns;
        float* x0 = x, x1 = x0 + columns;
        var i = 0;
        for (; i <= columns - 8; i += 8)
        {
            var (a, b) = (Vector256.Load(x0 + i), Vector256.Load(x1 + i));
            var w = Vector256.Load(r0 + i);
            s00 = Vector256.MultiplyAddEstimate(w, a, s00);
            s10 = Vector256.MultiplyAddEstimate(w, b, s10);
            w = Vector256.Load(r1 + i);
            s01 = Vector256.MultiplyAddEstimate(w, a, s01);
            s11 = Vector256.MultiplyAddEstimate(w, b, s11);
            w = Vector256.Load(r2 + i);
            s02 = Vector256.MultiplyAddEstimate(w, a, s02);
            s12 = Vector256.MultiplyAddEstimate(w, b, s12);
            w = Vector256.Load(r3 + i);
            s03 = Vector256.MultiplyAddEstimate(w, a, s03);
            s13 = Vector256.MultiplyAddEstimate(w, b, s13);
        }
        y[0] = Rest(Vector256.Sum(s00), r0, x0, i, columns);
        y[1] = Rest(Vector256.Sum(s01), r1, x0, i, columns);
        y[2] = Rest(Vector256.Sum(s02), r2, x0, i, columns);
        y[3] = Rest(Vector256.Sum(s03), r3, x0, i, columns);
        y += yStride;
        y[0] = Rest(Vector256.Sum(s10), r0, x1, i, columns);
        y[1] = Rest(Vector256.Sum(s11), r1, x1, i, columns);
        y[2] = Rest(Vector256.Sum(s12), r2, x1, i, columns);
        y[3] = Rest(Vector256.Sum(s13), r3, x1, i, columns);
    }
}
