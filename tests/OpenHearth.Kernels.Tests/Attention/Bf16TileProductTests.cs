using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Cpu;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Tests.Vectors;

namespace OpenHearth.Kernels.Tests.Attention;

public sealed unsafe class Bf16TileProductTests
{
    [Fact]
    public void MultiplyAdd_OddSizes_IsTheProductOfRoundedNumbers()
    {
        SkipWithoutBf16();
        foreach (var depth in new[] { 1, 2, 3, 33, 64, 128, 129, 301 })
        {
            foreach (var columns in new[] { 16, 32, 48, 64, 112, 128 })
            {
                foreach (var rows in new[] { 1, 2, 3, 4, 5, 8, 9, 19 })
                    Check(rows, depth, columns, strideA: depth + 3);
            }
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void MultiplyAdd_WhatIsNoNumber_ComesThrough(float value)
    {
        SkipWithoutBf16();
        var (a, b, c) = (new float[3], new ushort[3 * 16], new float[16]);
        a.AsSpan().Fill(1);
        b.AsSpan().Fill(BF16.FromSingle(2));
        a[2] = value;
        Multiply(a, 3, b, c, rows: 1, depth: 3, columns: 16);
        Assert.All(c, sum => Assert.Equal(value, sum));
        (a[2], b[2 * 16 + 5]) = (1, BF16.FromSingle(value));
        c.AsSpan().Clear();
        Multiply(a, 3, b, c, rows: 1, depth: 3, columns: 16);
        Assert.Equal(value, c[5]);
        Assert.All(c.Where((_, i) => i != 5), sum => Assert.Equal(6, sum));
    }

    private static void SkipWithoutBf16() => Assert.SkipUnless(CpuFeatures.Current.Bf16 && GeneratedKernels.Refusal is null, "Needs AVX-512 BF16.");

    private static void Check(int rows, int depth, int columns, int strideA)
    {
        var a = EveryWidth.Random(rows, rows * strideA);
        var b = EveryWidth.Random(2, depth * columns).Select(BF16.FromSingle).ToArray();
        var c = EveryWidth.Random(3, rows * columns);
        var expected = new double[c.Length];
        for (var i = 0; i < expected.Length; i++)
        {
            var (r, j) = (i / columns, i % columns);
            expected[i] = c[i];
            for (var d = 0; d < depth; d++)
                expected[i] += (double)Single(BF16.FromSingle(a[r * strideA + d])) * Single(b[d * columns + j]);
        }
        Multiply(a, strideA, b, c, rows, depth, columns);
        EveryWidth.AreClose(expected, c, 2e-6, $"[{rows}, {depth}] · [{depth}, {columns}]");
    }

    private static void Multiply(float[] a, int strideA, ushort[] b, float[] c, int rows, int depth, int columns)
    {
        fixed (float* pa = a, pc = c)
        fixed (ushort* pb = b)
            Bf16TileProduct.MultiplyAdd(pa, strideA, pb, columns, pc, columns, rows, depth, columns, (byte*)pb);
    }

    private static float Single(ushort upper) => BitConverter.UInt32BitsToSingle((uint)upper << 16);
}
