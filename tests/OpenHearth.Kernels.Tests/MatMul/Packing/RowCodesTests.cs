using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Packing;

namespace OpenHearth.Kernels.Tests.MatMul.Packing;

public sealed unsafe class RowCodesTests
{
    public static TheoryData<TensorType> Types => [.. RowCodesRegistry.All.Select(codes => codes.Type)];

    [Theory]
    [MemberData(nameof(Types))]
    public void Unpack_AnyBlocks_GivesTheValuesOfTheReference(TensorType type)
    {
        var codes = RowCodesRegistry.Find(type)!;
        var columns = TestMatrix.Width(type, 7);
        using var weights = new TestMatrix(type, 40, columns, 1);
        var row = new sbyte[columns];
        var scales = new float[columns / codes.Group];
        var mins = new float[columns / codes.Group];
        for (var r = 0; r < weights.Rows; r++)
        {
            fixed (sbyte* pCodes = row)
            fixed (float* pScales = scales, pMins = mins)
                codes.Unpack(weights.Matrix.Row(r), columns, pCodes, pScales, pMins);
            for (var i = 0; i < columns; i++)
            {
                var g = i / codes.Group;
                var expected = weights.Values[r * columns + i];
                var actual = scales[g] * row[i] + mins[g];
                var magnitude = MathF.Abs(scales[g] * row[i]) + MathF.Abs(mins[g]);
                Assert.True(MathF.Abs(expected - actual) <= 2e-7f * magnitude, $"{type} row {r} value {i}: {actual} instead of {expected}");
                Assert.True(codes.HasMins || mins[g] == 0);
            }
        }
    }

    [Fact]
    public void Registry_HoldsEveryBlockFormatThatIsNoPlainNumber()
    {
        TensorType[] intermediate = [TensorType.Q8_1, TensorType.Q8_K];
        foreach (var format in BlockFormats.All.Where(format => format.BlockSize > 1 && !intermediate.Contains(format.Type)))
            Assert.NotNull(RowCodesRegistry.Find(format.Type));
    }
}
