using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.Tests.Vectors;
using OpenHearth.Kernels.Vectors;

namespace OpenHearth.Kernels.Tests.Attention;

public sealed unsafe class TileProductTests
{
    [Theory]
    [InlineData(1, 1, 16)]
    [InlineData(3, 5, 64)]
    [InlineData(4, 64, 48)]
    [InlineData(9, 7, 80)]
    [InlineData(64, 33, 64)]
    public void MultiplyAdd_WithEveryWidth_IsTheFormula(int rows, int depth, int columns)
    {
        var a = EveryWidth.Random(1, rows * depth);
        var b = EveryWidth.Random(2, depth * columns);
        var start = EveryWidth.Random(3, rows * columns);
        var expected = start.Select((v, i) => v + Enumerable.Range(0, depth).Sum(d => (double)a[(i / columns * depth) + d] * b[(d * columns) + (i % columns)])).ToArray();
        Check<SimdScalar, float>(a, b, start, rows, depth, columns, expected);
        Check<Simd128, Vector128<float>>(a, b, start, rows, depth, columns, expected);
        Check<Simd256, Vector256<float>>(a, b, start, rows, depth, columns, expected);
        Check<Simd512, Vector512<float>>(a, b, start, rows, depth, columns, expected);
    }

    private static void Check<TSimd, TVector>(float[] a, float[] b, float[] start, int rows, int depth, int columns, double[] expected)
        where TSimd : struct, ISimd<TVector> where TVector : struct
    {
        var c = start.ToArray();
        fixed (float* pa = a, pb = b, pc = c)
            TileProduct.MultiplyAdd<TSimd, TVector>(pa, depth, pb, columns, pc, columns, rows, depth, columns);
        EveryWidth.AreClose(expected, c, 2e-6, typeof(TSimd).Name);
    }
}
