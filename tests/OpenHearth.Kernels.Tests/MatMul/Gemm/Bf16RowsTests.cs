using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Cpu;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul;
using OpenHearth.Kernels.MatMul.Gemm;

namespace OpenHearth.Kernels.Tests.MatMul.Gemm;

public sealed unsafe class Bf16RowsTests
{
    [Fact]
    public void Round_AnyBits_RoundsToNearestEven()
    {
        SkipUnlessBf16();
        var random = new Random(3);
        float[] special =
        [
            0, -0f, 1, -1, float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.MaxValue, float.MinValue, 1e-40f, -1e-45f,
            BitConverter.UInt32BitsToSingle(0x3F80_8000), BitConverter.UInt32BitsToSingle(0x3F81_8000), BitConverter.UInt32BitsToSingle(0x3F80_8001),
        ];
        foreach (var columns in new[] { 1, 15, 31, 32, 33, 64, 100, 1000 })
        {
            var values = new float[columns];
            for (var i = 0; i < columns; i++)
                values[i] = i < special.Length ? special[i] : BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue));
            var rounded = new ushort[columns];
            fixed (float* pv = values)
            fixed (ushort* pr = rounded)
                Bf16Rows.Round(pv, columns, pr);
            for (var i = 0; i < columns; i++)
                AssertRounded(values[i], rounded[i]);
        }
    }

    [Theory]
    [InlineData(TensorType.Q4_0)] // straight from blocks
    [InlineData(TensorType.Q8_0)]
    [InlineData(TensorType.Q4_K)]
    [InlineData(TensorType.Q5_0)] // groups of 32
    [InlineData(TensorType.Q5_K)] // with minimums
    [InlineData(TensorType.Q6_K)] // groups of 16
    [InlineData(TensorType.Q2_K)] // with minimums
    [InlineData(TensorType.F16)]
    [InlineData(TensorType.BF16)]
    public void Decode_AnyFormat_EqualsTheRoundedDecoding(TensorType type)
    {
        SkipUnlessBf16();
        foreach (var blocks in new[] { 1, 2, 3 })
        {
            var columns = TensorTypes.BlockSize(type) == 1 ? (blocks * 37) + 1 : TestMatrix.Width(type, blocks);
            using var weights = new TestMatrix(type, 5, columns, blocks);
            var target = new ushort[columns];
            var values = new float[columns];
            var scratch = new byte[Bf16Rows.ScratchBytes(weights.Matrix)];
            for (var row = 0; row < 5; row++)
            {
                fixed (byte* ps = scratch)
                fixed (ushort* pt = target)
                fixed (float* pv = values)
                {
                    RowFloats.Decode(weights.Matrix, row, pv, ps);
                    Bf16Rows.Decode(weights.Matrix, row, 0, columns, pt, ps);
                }
                for (var i = 0; i < columns; i++)
                    AssertRounded(values[i], target[i]);
            }
        }
    }

    private static void AssertRounded(float value, ushort rounded)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        if (float.IsNaN(value))
            Assert.True(float.IsNaN(BitConverter.UInt32BitsToSingle((uint)rounded << 16)));
        else if (float.IsSubnormal(value) || value == 0)
            Assert.Equal(bits >> 16 & 0x8000, rounded);
        else
            Assert.Equal(bits + 0x7FFF + (bits >> 16 & 1) >> 16, rounded);
    }

    private static void SkipUnlessBf16() =>
        Assert.SkipUnless(CpuFeatures.Available.Contains(CpuLevel.Avx512) && CpuFeatures.Current.Bf16 && GeneratedKernels.Refusal is null, "Needs AVX-512 BF16.");
}
