using System.Reflection;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Kernels.Tests.Formats;

public sealed class ByteOrderTests
{
    // The block structs as ggml declares them: width of a field times how often it is there.
    [Theory]
    [InlineData(TensorType.F32, "4")]
    [InlineData(TensorType.BF16, "2")]
    [InlineData(TensorType.I64, "8")]
    [InlineData(TensorType.I8, "1")]
    [InlineData(TensorType.Q4_0, "2 1x16")]
    [InlineData(TensorType.Q4_1, "2 2 1x16")]
    [InlineData(TensorType.Q5_0, "2 4 1x16")]
    [InlineData(TensorType.Q5_1, "2 2 4 1x16")]
    [InlineData(TensorType.Q8_0, "2 1x32")]
    [InlineData(TensorType.Q8_1, "2 2 1x32")]
    [InlineData(TensorType.Q2_K, "1x16 1x64 2 2")]
    [InlineData(TensorType.Q3_K, "1x32 1x64 1x12 2")]
    [InlineData(TensorType.Q4_K, "2 2 1x12 1x128")]
    [InlineData(TensorType.Q5_K, "2 2 1x12 1x32 1x128")]
    [InlineData(TensorType.Q6_K, "1x128 1x64 1x16 2")]
    [InlineData(TensorType.Q8_K, "4 1x256 2x16")]
    [InlineData(TensorType.IQ2_XXS, "2 2x32")]
    [InlineData(TensorType.IQ2_XS, "2 2x32 1x8")]
    [InlineData(TensorType.IQ2_S, "2 1x64 1x8 1x8")]
    [InlineData(TensorType.IQ3_XXS, "2 1x96")]
    [InlineData(TensorType.IQ3_S, "2 1x64 1x8 1x32 1x4")]
    [InlineData(TensorType.IQ1_S, "2 1x32 2x8")]
    [InlineData(TensorType.IQ1_M, "1x32 1x16 1x8")]
    [InlineData(TensorType.IQ4_NL, "2 1x16")]
    [InlineData(TensorType.IQ4_XS, "2 2 1x4 1x128")]
    [InlineData(TensorType.TQ1_0, "1x48 1x4 2")]
    [InlineData(TensorType.TQ2_0, "1x64 2")]
    [InlineData(TensorType.MXFP4, "1 1x16")]
    [InlineData(TensorType.NVFP4, "1x4 1x32")]
    [InlineData(TensorType.Q1_0, "2 1x16")]
    [InlineData(TensorType.Q2_0, "2 1x16")]
    public void Swap_TwoBlocks_ReversesEachField(TensorType type, string layout)
    {
        var fields = layout.Split(' ').SelectMany(field => Enumerable.Repeat(field[0] - '0', field.Length > 1 ? int.Parse(field[2..]) : 1)).ToArray();
        Assert.Equal(TensorTypes.BlockBytes(type), fields.Sum());
        var blocks = Enumerable.Range(1, 2 * TensorTypes.BlockBytes(type)).Select(i => (byte)(i % 251)).ToArray();
        var expected = blocks.ToArray();
        var at = 0;
        foreach (var width in fields.Concat(fields))
        {
            Array.Reverse(expected, at, width);
            at += width;
        }
        ByteOrder.Swap(type, blocks, last: true);
        Assert.Equal(expected, blocks);
        Assert.Equal(fields.Any(width => width > 1), ByteOrder.Matters(type));
    }

    // Files in the other byte order are read without complaint where a format was forgotten.
    [Fact]
    public void Layouts_OfEveryFormat_AreListed()
    {
        var listed = typeof(ByteOrderTests).GetMethod(nameof(Swap_TwoBlocks_ReversesEachField))!.GetCustomAttributes<InlineDataAttribute>().Select(data => (TensorType)data.Data[0]!);
        Assert.Empty(BlockFormats.All.Where(format => format.BlockSize > 1).Select(format => format.Type).Except(listed).Except([TensorType.I2_S]));
    }

    [Fact]
    public void Swap_I2S_ReversesTheScaleAtTheEndOfTheTensor()
    {
        var tensor = Enumerable.Range(1, 96).Select(i => (byte)i).ToArray();
        ByteOrder.Swap(TensorType.I2_S, tensor.AsSpan(0, 32), last: false);
        Assert.Equal(33, tensor[32]);
        ByteOrder.Swap(TensorType.I2_S, tensor.AsSpan(32), last: true);
        Assert.Equal([.. Enumerable.Range(1, 64).Select(i => (byte)i), 68, 67, 66, 65, .. Enumerable.Range(69, 28).Select(i => (byte)i)], tensor);
    }

    [Theory]
    [InlineData(TensorType.Q3_K, 65536, 65450)]
    [InlineData(TensorType.F32, 7, 4)]
    public void WholeBlocks_AnyLength_EndsWithABlock(TensorType type, int bytes, int whole) => Assert.Equal(whole, ByteOrder.WholeBlocks(type, bytes));
}
