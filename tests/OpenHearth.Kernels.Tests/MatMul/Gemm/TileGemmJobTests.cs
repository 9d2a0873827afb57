using System.Runtime.InteropServices;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Cpu;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul;
using OpenHearth.Kernels.MatMul.Gemm;
using OpenHearth.Kernels.Tests.CodeGen;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Kernels.Tests.MatMul.Gemm;

/// <summary>AMX without a processor that has it: all of the job runs, but for the kernels' instructions, which are interpreted. Where AMX is, ProductTests run them natively.</summary>
public sealed unsafe class TileGemmJobTests
{
    private const int Step = TileKernel.StepBytes;

    [Theory]
    [InlineData(TensorType.F16)]
    [InlineData(TensorType.BF16)]
    [InlineData(TensorType.Q4_0)]
    [InlineData(TensorType.Q4_K)]
    [InlineData(TensorType.IQ3_S)]
    public void Run_OddSizes_EqualsTheSumInDoublePrecision(TensorType type)
    {
        SkipUnlessBf16();
        using var pool = new ComputePool(2, CpuLevel.Avx512);
        foreach (var (rows, blocks) in new[] { (1, 1), (16, 1), (17, 2), (50, 3), (130, 1) })
        {
            var columns = TensorTypes.BlockSize(type) == 1 ? (blocks - 1) * 33 + 1 : TestMatrix.Width(type, blocks);
            using var weights = new TestMatrix(type, rows, columns, rows);
            foreach (var tokens in new[] { 1, 15, 16, 17, 32, 33, 50, 64 })
            {
                var x = ProductTests.RandomRow(tokens * columns, tokens);
                using var y = new GuardedMemory(tokens * rows * sizeof(float));
                fixed (float* px = x)
                fixed (byte* py = y.Span)
                {
                    var targets = new Targets();
                    targets.Add(weights.Matrix, (float*)py);
                    TileGemmJob.Run(pool, ref targets, px, tokens, &TileInterpreter.Run);
                }
                ProductTests.Check(weights, x, MemoryMarshal.Cast<byte, float>(y.Span).ToArray(), tokens, 8e-3);
                Assert.False(TileInterpreter.Configured);
            }
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 2)]
    [InlineData(2, 1)]
    [InlineData(2, 2)]
    public void Kernel_OfAnySize_TouchesItsOperandsAlone(int panels, int tiles)
    {
        SkipUnlessBf16();
        const int steps = 3, stride = 35;
        var (w, x, y) = (Half(panels * steps, 1), Half(tiles * steps, 2), new float[(tiles * 16 - 1) * stride + panels * 16]);
        fixed (ushort* pw = w, px = x)
        fixed (float* py = y)
        {
            var arguments = new TileKernel.Arguments
            {
                Panels = (byte*)pw,
                PanelBytes = steps * Step,
                Tiles = (byte*)px,
                TileBytes = steps * Step,
                Y = py,
                YStride = stride * sizeof(float),
                Steps = steps,
            };
            TileInterpreter.Run(TileKernel.Configure, null);
            TileInterpreter.Run(TileKernel.Get(panels, tiles), &arguments, [Range(pw, 2 * w.Length), Range(px, 2 * x.Length), Range(py, 4 * y.Length)]);
            TileInterpreter.Run(TileKernel.Release, null);
        }
        for (var t = 0; t < tiles * 16; t++)
        {
            for (var r = 0; r < panels * 16; r++)
            {
                var expected = 0.0;
                for (var c = 0; c < steps * 32; c++)
                    expected += (double)Number(x[t / 16 * steps * 512 + c / 32 * 512 + t % 16 * 32 + c % 32]) * Number(w[r / 16 * steps * 512 + c / 2 * 32 + r % 16 * 2 + c % 2]);
                Assert.Equal(expected, y[t * stride + r], 1e-4);
            }
        }
    }

    [Fact]
    public void Peak_Runs_AndGivesTheTilesUp()
    {
        Assert.SkipUnless(GeneratedKernels.Refusal is null, "No kernels are generated here.");
        var rounds = 2L;
        TileInterpreter.Run(TileKernel.Peak, &rounds);
        Assert.False(TileInterpreter.Configured);
    }

    [Fact]
    public void Kernel_WithoutConfiguredTiles_IsRefusedByTheInterpreter()
    {
        SkipUnlessBf16();
        var error = Assert.Throws<InvalidOperationException>(Run);
        Assert.Contains("configured", error.Message);

        static void Run()
        {
            var arguments = new TileKernel.Arguments();
            TileInterpreter.Run(TileKernel.Get(1, 1), &arguments);
        }
    }

    [Theory]
    [InlineData(TensorType.Q4_0, 16, ProductKernel.RowLanes)]
    [InlineData(TensorType.Q4_0, 17, ProductKernel.TileGemm)]
    [InlineData(TensorType.BF16, 17, ProductKernel.TileGemm)]
    [InlineData(TensorType.F32, 17, ProductKernel.FloatGemm)]
    public void Choose_AtTheLevelOfAmx_TakesTilesForManyTokens(TensorType type, int tokens, ProductKernel expected)
    {
        Assert.SkipUnless(GeneratedKernels.Refusal is null, "No kernels are generated here.");
        Assert.Equal(expected, ProductKernels.Choose(type, tokens, Precision.Fast, CpuLevel.Amx));
        Assert.NotEqual(ProductKernel.TileGemm, ProductKernels.Choose(type, tokens, Precision.Fine, CpuLevel.Amx));
        Assert.NotEqual(ProductKernel.TileGemm, ProductKernels.Choose(type, tokens, Precision.Fast, CpuLevel.Avx512));
    }

    private static void SkipUnlessBf16() =>
        Assert.SkipUnless(CpuFeatures.Available.Contains(CpuLevel.Avx512) && GeneratedKernels.Refusal is null && CpuFeatures.Current.Bf16, "Needs AVX-512 BF16.");

    private static ushort[] Half(int registers, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, registers * 512).Select(_ => (ushort)(BitConverter.SingleToUInt32Bits(random.NextSingle() - 0.5f) >> 16))];
    }

    private static float Number(ushort half) => BitConverter.UInt32BitsToSingle((uint)half << 16);

    private static (ulong Start, ulong End) Range(void* memory, int bytes) => ((ulong)memory, (ulong)memory + (ulong)bytes);
}
