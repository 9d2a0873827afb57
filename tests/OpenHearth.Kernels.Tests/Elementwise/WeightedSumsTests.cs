using OpenHearth.Kernels.Cpu;
using OpenHearth.Kernels.Elementwise;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Kernels.Tests.Elementwise;

public sealed class WeightedSumsTests
{
    public static TheoryData<CpuLevel> Levels => [.. CpuFeatures.Available];

    [Theory]
    [MemberData(nameof(Levels))]
    public void Forward_OfAnySize_IsTheSumInOrder(CpuLevel level)
    {
        using var pool = new ComputePool(3, level);
        var random = new Random(1);
        foreach (var (rows, terms, width) in new[] { (1, 1, 1), (1, 8, 65), (7, 2, 31), (300, 3, 200) })
        {
            foreach (var weighted in (bool[])[true, false])
            {
                var x = Enumerable.Range(0, 2 * terms * rows * width).Select(i => i % 53 == 0 ? float.Epsilon : (2 * random.NextSingle()) - 1).ToArray();
                (x[width / 2], x[0]) = (float.NaN, float.PositiveInfinity);
                var index = Enumerable.Range(0, rows * terms).Select(_ => random.Next(2 * terms * rows)).ToArray();
                var weights = Enumerable.Range(0, (rows * (terms + 3)) - 3).Select(_ => random.NextSingle()).ToArray();
                var y = new float[rows * width];
                WeightedSums.Forward(pool, x, index, weighted ? weights : [], terms + 3, y, rows, terms, width);
                for (var r = 0; r < rows; r++)
                {
                    for (var i = 0; i < width; i++)
                    {
                        float Term(int term) => x[(index[(r * terms) + term] * width) + i] * (weighted ? weights[(r * (terms + 3)) + term] : 1);
                        var expected = Term(0);
                        for (var term = 1; term < terms; term++)
                            expected += Term(term);
                        Assert.Equal(expected, y[(r * width) + i]);
                    }
                }
            }
        }
    }

    [Fact]
    public void Forward_BeyondABuffer_IsRefused()
    {
        using var pool = new ComputePool(1);
        void Run(int[] index, int weights, int y) => WeightedSums.Forward(pool, new float[9], index, new float[weights], 4, new float[y], 2, 2, 3);
        Run([0, 1, 2, 2], 6, 6);
        Assert.Throws<ArgumentException>(() => Run([0, 1, 2, 3], 6, 6));
        Assert.Throws<ArgumentException>(() => Run([0, 1, 2, -1], 6, 6));
        Assert.Throws<ArgumentException>(() => Run([0, 1, 2], 6, 6));
        Assert.Throws<ArgumentException>(() => Run([0, 1, 2, 2], 5, 6));
        Assert.Throws<ArgumentException>(() => Run([0, 1, 2, 2], 6, 5));
    }
}
