using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Cpu;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul;
using OpenHearth.Kernels.MatMul.Gemm;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Kernels.Tests.MatMul.Gemm;

public sealed unsafe class FloatGemmJobTests
{
    // The choice between the two is made by measuring, so each is tested here wherever its instructions are.
    [Theory]
    [InlineData(TensorType.F32, false, 4e-6)]
    [InlineData(TensorType.F16, false, 4e-6)]
    [InlineData(TensorType.F16, true, 8e-3)]
    [InlineData(TensorType.BF16, false, 4e-6)]
    [InlineData(TensorType.BF16, true, 8e-3)]
    [InlineData(TensorType.Q4_0, true, 8e-3)]
    [InlineData(TensorType.Q4_K, true, 8e-3)]
    [InlineData(TensorType.Q6_K, true, 8e-3)]
    [InlineData(TensorType.Q2_K, true, 8e-3)]
    [InlineData(TensorType.IQ3_S, true, 8e-3)]
    public void Run_OddSizes_EqualsTheSumInDoublePrecision(TensorType type, bool bf16, double tolerance)
    {
        Assert.SkipUnless(CpuFeatures.Available.Contains(CpuLevel.Avx512) && GeneratedKernels.Refusal is null, "Needs AVX-512.");
        Assert.SkipUnless(!bf16 || CpuFeatures.Current.Bf16, "Needs AVX-512 BF16.");
        using var pool = new ComputePool(2, CpuLevel.Avx512);
        foreach (var (rows, blocks) in new[] { (1, 1), (17, 2), (50, 3), (130, 3) })
        {
            var columns = TensorTypes.BlockSize(type) == 1 ? (blocks - 1) * 33 + 1 : TestMatrix.Width(type, blocks);
            using var weights = new TestMatrix(type, rows, columns, rows);
            for (var tokens = 1; tokens <= 26; tokens += 1 + tokens / 13 * 4)
            {
                var x = ProductTests.RandomRow(tokens * columns, tokens);
                var y = new float[tokens * rows];
                fixed (float* px = x, py = y)
                {
                    var targets = new Targets();
                    targets.Add(weights.Matrix, py);
                    FloatGemmJob.Run(pool, ref targets, px, tokens, bf16);
                }
                ProductTests.Check(weights, x, y, tokens, tolerance);
            }
        }
    }
}
