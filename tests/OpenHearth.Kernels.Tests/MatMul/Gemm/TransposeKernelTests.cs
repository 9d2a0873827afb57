using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Cpu;
using OpenHearth.Kernels.MatMul.Gemm;

namespace OpenHearth.Kernels.Tests.MatMul.Gemm;

public sealed unsafe class TransposeKernelTests
{
    [Fact]
    public void Run_AnyNumberOfRows_PutsColumnsSideBySide()
    {
        Assert.SkipUnless(CpuFeatures.Available.Contains(CpuLevel.Avx512) && GeneratedKernels.Refusal is null, "Needs AVX-512.");
        const int stride = 80, steps = 4, columns = 16 * steps;
        var source = new int[16 * stride];
        new Random(1).NextBytes(System.Runtime.InteropServices.MemoryMarshal.AsBytes(source.AsSpan()));
        for (var rows = 1; rows <= 16; rows++)
        {
            var target = new int[(columns * rows) + 16];
            fixed (int* ps = source, pt = target)
            {
                var arguments = new TransposeKernel.Arguments { Source = (byte*)ps, Stride = stride * sizeof(int), Target = (byte*)pt, Steps = steps };
                TransposeKernel.Get(rows).Run(&arguments);
            }
            for (var i = 0; i < columns * rows; i++)
                Assert.Equal(source[(i % rows * stride) + (i / rows)], target[i]);
        }
    }
}
