using OpenHearth.Kernels.Formats;

namespace OpenHearth.Kernels.Tests.Formats;

public sealed class TensorTypesTests
{
    [Theory]
    [InlineData(TensorType.F32, new long[] { 3 }, 12)]
    [InlineData(TensorType.F16, new long[] { 3, 5, 7 }, 210)]
    [InlineData(TensorType.Q4_K, new long[] { 512, 3 }, 864)]
    [InlineData(TensorType.I2_S, new long[] { 128, 2 }, 96)]
    [InlineData(TensorType.F64, new long[] { 0, 9 }, 0)]
    [InlineData(TensorType.F64, new long[] { 9, 0 }, 0)]
    public void TensorBytes_AnyShape_IsRowsTimesRow(TensorType type, long[] dimensions, long bytes) =>
        Assert.Equal(bytes, TensorTypes.TensorBytes(type, dimensions[0], dimensions.AsSpan(1)));

    [Fact]
    public void TensorBytes_BrokenBlocksOrOverflow_Throws()
    {
        Assert.Throws<ArgumentException>(() => TensorTypes.TensorBytes(TensorType.Q8_0, 33));
        Assert.Throws<OverflowException>(() => TensorTypes.TensorBytes(TensorType.F32, 1L << 61));
        Assert.Throws<OverflowException>(() => TensorTypes.TensorBytes(TensorType.F32, 1L << 31, 1L << 31));
        // More values than 2^63, though their bytes would be fewer.
        Assert.Throws<OverflowException>(() => TensorTypes.TensorBytes(TensorType.Q1_0, 1L << 62, 2));
    }
}
