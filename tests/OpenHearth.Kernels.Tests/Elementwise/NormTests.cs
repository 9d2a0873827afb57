using OpenHearth.Kernels.Elementwise;
using OpenHearth.Kernels.Tests.Vectors;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Kernels.Tests.Elementwise;

public sealed unsafe class NormTests
{
    public static TheoryData<int> Widths { get; } = [1, 3, 8, 15, 16, 17, 33, 64, 100, 576];

    [Theory]
    [MemberData(nameof(Widths))]
    public void RmsNorm_OfAnyWidth_IsTheFormula(int width)
    {
        const int Rows = 3;
        var x = EveryWidth.Random(1, Rows * width);
        var weight = EveryWidth.Random(2, width);
        var expected = new double[x.Length];
        for (var i = 0; i < x.Length; i++)
        {
            var row = x.AsSpan(i / width * width, width).ToArray();
            expected[i] = x[i] / Math.Sqrt(row.Average(v => (double)v * v) + 1e-5) * weight[i % width];
        }
        var y = new float[x.Length];
        fixed (float* px = x, pw = weight, py = y)
            EveryWidth.Run(new RmsNorm.Kernel { X = px, Weight = pw, Y = py, Epsilon = 1e-5f, Width = width }, Rows, level => EveryWidth.AreClose(expected, y, 1e-6, level));
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void RmsNorm_OfASum_IsTheNormOfTheSum(int width)
    {
        using var pool = new ComputePool(2);
        var a = EveryWidth.Random(1, 5 * width);
        var b = EveryWidth.Random(2, 5 * width);
        var sum = new float[a.Length];
        for (var i = 0; i < sum.Length; i++)
            sum[i] = a[i] + b[i];
        float[] expected = new float[a.Length], y = new float[a.Length];
        RmsNorm.Forward(pool, sum, [], 1e-6f, expected, 5, width);
        RmsNorm.AddForward(pool, a, b, [], 1e-6f, a, y, 5, width);
        Assert.Equal(sum, a);
        Assert.Equal(expected, y);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void LayerNorm_OfAnyWidth_IsTheFormula(int width)
    {
        const int Rows = 3;
        var x = EveryWidth.Random(1, Rows * width);
        var weight = EveryWidth.Random(2, width);
        var bias = EveryWidth.Random(3, width);
        var expected = new double[x.Length];
        for (var i = 0; i < x.Length; i++)
        {
            var row = x.AsSpan(i / width * width, width).ToArray();
            var mean = row.Average(v => (double)v);
            expected[i] = ((x[i] - mean) / Math.Sqrt(row.Average(v => (v - mean) * (v - mean)) + 1e-5) * weight[i % width]) + bias[i % width];
        }
        var y = new float[x.Length];
        fixed (float* px = x, pw = weight, pb = bias, py = y)
            EveryWidth.Run(new LayerNorm.Kernel { X = px, Weight = pw, Bias = pb, Y = py, Epsilon = 1e-5f, Width = width }, Rows, level => EveryWidth.AreClose(expected, y, 2e-5, level));
    }
}
