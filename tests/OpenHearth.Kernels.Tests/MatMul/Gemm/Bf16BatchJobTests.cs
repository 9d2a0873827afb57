using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Cpu;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul;
using OpenHearth.Kernels.MatMul.Gemm;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Kernels.Tests.MatMul.Gemm;

public sealed unsafe class Bf16BatchJobTests
{
    // Whether products choose it is measured, so it is tested here wherever its instructions are.
    [Theory]
    [InlineData(TensorType.F16)]
    [InlineData(TensorType.BF16)]
    [InlineData(TensorType.Q4_0)]
    [InlineData(TensorType.Q8_0)]
    [InlineData(TensorType.Q4_K)]
    [InlineData(TensorType.Q6_K)]
    [InlineData(TensorType.IQ2_S)]
    public void Run_AnyNumberOfTokens_EqualsTheSumInDoublePrecision(TensorType type)
    {
        Assert.SkipUnless(CpuFeatures.Available.Contains(CpuLevel.Avx512) && CpuFeatures.Current.Bf16 && GeneratedKernels.Refusal is null, "Needs AVX-512 BF16.");
        using var pool = new ComputePool(2, CpuLevel.Avx512);
        foreach (var (rows, blocks) in new[] { (1, 1), (17, 2), (50, 3), (130, 3) })
        {
            var columns = TensorTypes.BlockSize(type) == 1 ? ((blocks - 1) * 33) + 1 : TestMatrix.Width(type, blocks);
            using var weights = new TestMatrix(type, rows, columns, rows);
            for (var tokens = 1; tokens <= Bf16BatchJob.MostTokens; tokens += 3)
            {
                var x = ProductTests.RandomRow(tokens * columns, tokens);
                var y = new float[tokens * rows];
                fixed (float* px = x, py = y)
                {
                    var targets = new Targets();
                    targets.Add(weights.Matrix, py);
                    Bf16BatchJob.Run(pool, ref targets, px, tokens);
                }
                ProductTests.Check(weights, x, y, tokens, 8e-3);
            }
        }
    }
}
