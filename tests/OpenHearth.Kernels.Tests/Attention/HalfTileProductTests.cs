using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Cpu;
using OpenHearth.Kernels.Tests.Vectors;
using OpenHearth.Kernels.Vectors;

namespace OpenHearth.Kernels.Tests.Attention;

public sealed unsafe class HalfTileProductTests
{
    [Fact]
    public void MultiplyAdd_OddSizes_HasTheBitsOfConvertingFirst()
    {
        Assert.SkipUnless(CpuFeatures.Available.Contains(CpuLevel.Avx512) && GeneratedKernels.Refusal is null, "Needs AVX-512.");
        foreach (var depth in new[] { 1, 2, 33, 64 })
        {
            foreach (var columns in new[] { 16, 32, 48, 64, 112, 128 })
            {
                for (var rows = 1; rows <= 19; rows++)
                    Check(rows, depth, columns);
            }
        }
    }

    private static void Check(int rows, int depth, int columns)
    {
        var a = EveryWidth.Random(rows, rows * depth);
        var halves = EveryWidth.Random(2, depth * columns).Select((value, i) => BitConverter.HalfToUInt16Bits((Half)(i % 7 == 0 ? value * 1e-6f : value))).ToArray();
        var b = halves.Select(half => (float)BitConverter.UInt16BitsToHalf(half)).ToArray();
        var start = EveryWidth.Random(3, rows * columns);
        var (expected, actual) = (start.ToArray(), start.ToArray());
        fixed (float* pa = a, pb = b, pe = expected, pc = actual)
        fixed (ushort* ph = halves)
        {
            TileProduct.MultiplyAdd<Simd512, Vector512<float>>(pa, depth, pb, columns, pe, columns, rows, depth, columns);
            HalfTileProduct.MultiplyAdd(pa, depth, ph, columns, pc, columns, rows, depth, columns, (byte*)ph);
        }
        Assert.Equal(expected, actual);
    }
}
