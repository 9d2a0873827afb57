using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Cpu;
using OpenHearth.Kernels.Tests.Vectors;
using OpenHearth.Kernels.Vectors;

namespace OpenHearth.Kernels.Tests.Attention;

public sealed unsafe class NarrowTileProductTests
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
        var bytes = Enumerable.Range(0, depth * columns).Select(i => (sbyte)((i * 37 % 256) - 128)).ToArray();
        fixed (float* pa = a)
        fixed (ushort* ph = halves)
        fixed (sbyte* pb = bytes)
        {
            var (left, half, code) = ((nint)pa, (nint)ph, (nint)pb);
            Compare(left, [.. halves.Select(value => (float)BitConverter.UInt16BitsToHalf(value))], c => NarrowTileProduct.MultiplyAdd((float*)left, depth, (ushort*)half, columns, (float*)c, columns, rows, depth, columns, (byte*)half));
            Compare(left, [.. bytes.Select(value => (float)value)], c => NarrowTileProduct.MultiplyAdd((float*)left, depth, (sbyte*)code, columns, (float*)c, columns, rows, depth, columns, (byte*)code));
        }

        void Compare(nint left, float[] b, Action<nint> multiply)
        {
            var start = EveryWidth.Random(3, rows * columns);
            var (expected, actual) = (start.ToArray(), start.ToArray());
            fixed (float* pb = b, pe = expected, pc = actual)
            {
                TileProduct.MultiplyAdd<Simd512, Vector512<float>>((float*)left, depth, pb, columns, pe, columns, rows, depth, columns);
                multiply((nint)pc);
            }
            Assert.Equal(expected, actual);
        }
    }
}
