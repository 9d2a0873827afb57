using OpenHearth.Kernels.Elementwise;
using OpenHearth.Kernels.Tests.Vectors;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Kernels.Tests.Elementwise;

public sealed unsafe class ByteRoundingTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(16)]
    [InlineData(33)]
    [InlineData(300)]
    public void Forward_OfAnyWidth_IsTheFormula(int width)
    {
        const int Rows = 4;
        var x = EveryWidth.Random(width, Rows * width, 3);
        x.AsSpan(width, width).Clear(); // zeros stay zeros
        for (var i = 0; i < width; i++)
            x[(2 * width) + i] *= 1e-7f; // below the least scale
        x[^1] = -5; // the largest of its row, behind the last whole vector
        var expected = new double[x.Length];
        for (var i = 0; i < x.Length; i++)
        {
            var largest = x.AsSpan(i / width * width, width).ToArray().Max(MathF.Abs);
            var scale = 127 / Math.Max(largest, 1e-5f);
            expected[i] = Math.Round(x[i] * scale, MidpointRounding.ToEven) / scale;
        }
        var y = new float[x.Length];
        fixed (float* px = x, py = y)
            EveryWidth.Run(new ByteRounding.Kernel { X = px, Y = py, Width = width }, Rows, Check);

        // Row by row, or the largest row would excuse the others.
        void Check(string level)
        {
            for (var r = 0; r < Rows; r++)
            {
                for (var i = r * width; i < (r + 1) * width; i++)
                    Assert.True(Math.Abs(expected[i] - y[i]) <= 1e-6 * Math.Abs(expected[i]), $"{level}: value {i} is {y[i]}, expected {expected[i]}");
            }
        }
    }

    [Fact]
    public void Forward_OfValuesThatAreNoNumbers_SpoilsTheirRowAlone()
    {
        using var pool = new ComputePool(1);
        foreach (var bad in new[] { float.NaN, float.PositiveInfinity })
        {
            var x = EveryWidth.Random(1, 60);
            x[23] = bad;
            ByteRounding.Forward(pool, x, x, 3, 20);
            Assert.False(float.IsFinite(x[23]));
            Assert.All(x[..20].Concat(x[40..]), value => Assert.True(float.IsFinite(value)));
        }
    }
}
