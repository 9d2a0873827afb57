using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Cpu;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Kernels.Tests.MatMul;

public sealed class ProductTests
{
    private static readonly Precision[] Precisions = Enum.GetValues<Precision>();

    public static TheoryData<TensorType, CpuLevel> FormatsAndLevels
    {
        get
        {
            var data = new TheoryData<TensorType, CpuLevel>();
            foreach (var format in BlockFormats.All.Where(format => format.BlockSize > 1 || format.CanEncode))
            {
                foreach (var level in CpuFeatures.Available)
                    data.Add(format.Type, level);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(FormatsAndLevels))]
    public void Multiply_AnyFormatLevelAndBatch_EqualsTheSumInDoublePrecision(TensorType type, CpuLevel level)
    {
        using var pool = new ComputePool(2, level);
        foreach (var (rows, blocks) in new[] { (1, 1), (5, 3), (37, 2), (66, 5) })
        {
            var columns = TensorTypes.BlockSize(type) == 1 ? blocks * 7 + 1 : TestMatrix.Width(type, blocks);
            using var weights = new TestMatrix(type, rows, columns, rows);
            foreach (var tokens in new[] { 1, 2, 3, 4, 7, 8, 12, 13, 33, 48 })
            {
                var x = RandomRow(tokens * columns, tokens);
                var y = new float[tokens * rows];
                Product.Multiply(pool, weights.Matrix, x, y, tokens, Precision.Exact);
                Check(weights, x, y, tokens, 4e-6);
                Array.Fill(y, float.NaN);
                Product.Multiply(pool, weights.Matrix, x, y, tokens, Precision.Fine);
                Check(weights, x, y, tokens, 1e-4);
                Array.Fill(y, float.NaN);
                Product.Multiply(pool, weights.Matrix, x, y, tokens, Precision.Fast);
                Check(weights, x, y, tokens, FastTolerance(tokens));
            }
        }
    }

    [Theory]
    [MemberData(nameof(FormatsAndLevels))]
    public void Multiply_SmallScales_EqualsTheSumInDoublePrecision(TensorType type, CpuLevel level)
    {
        // Scales in F16 become subnormal.
        using var pool = new ComputePool(1, level);
        using var weights = new TestMatrix(type, 19, TestMatrix.Width(type, 3), 5, (_, largest) => largest is < 0.02f and > 1e-7f);
        foreach (var tokens in new[] { 1, 2, 5 })
        {
            var x = RandomRow(tokens * weights.Columns, tokens);
            var y = new float[tokens * weights.Rows];
            Product.Multiply(pool, weights.Matrix, x, y, tokens, Precision.Fast);
            Check(weights, x, y, tokens, 1e-4);
        }
    }

    [Theory]
    [MemberData(nameof(FormatsAndLevels))]
    public void Multiply_ScalesThatAreNoNumbers_SpoilTheirRowAlone(TensorType type, CpuLevel level)
    {
        const int bad = 3;
        using var pool = new ComputePool(1, level);
        using var weights = new TestMatrix(type, 19, TestMatrix.Width(type, 3), 6, (row, largest) => row == bad ? float.IsInfinity(largest) : largest is < 100 and > 1e-3f);
        if (weights.Values.All(float.IsFinite))
            return; // a format whose scales are always numbers
        foreach (var tokens in new[] { 1, 2, 5 })
        {
            var x = RandomRow(tokens * weights.Columns, tokens);
            var y = new float[tokens * weights.Rows];
            Product.Multiply(pool, weights.Matrix, x, y, tokens, Precision.Fast);
            for (var i = 0; i < y.Length; i++)
                Assert.Equal(i % weights.Rows != bad, float.IsFinite(y[i]));
        }
    }

    [Theory]
    [InlineData(TensorType.Q4_0, 1, ProductKernel.Gemv)]
    [InlineData(TensorType.Q4_0, 2, ProductKernel.RowLanes)]
    [InlineData(TensorType.Q4_K, 48, ProductKernel.RowLanes)]
    [InlineData(TensorType.Q6_K, 4, ProductKernel.Gemv)]
    [InlineData(TensorType.Q6_K, 5, ProductKernel.RowLanes)]
    [InlineData(TensorType.Q2_K, 5, ProductKernel.RowLanes)]
    [InlineData(TensorType.Q3_K, 5, ProductKernel.RowLanes)]
    [InlineData(TensorType.NVFP4, 4, ProductKernel.Gemv)]
    [InlineData(TensorType.NVFP4, 7, ProductKernel.RowLanes)]
    [InlineData(TensorType.TQ1_0, 2, ProductKernel.RowLanes)]
    [InlineData(TensorType.I2_S, 12, ProductKernel.RowLanes)]
    [InlineData(TensorType.Q1_0, 33, ProductKernel.RowLanes)]
    [InlineData(TensorType.IQ3_S, 16, ProductKernel.Gemv)]
    public void Choose_ForAFewTokens_TakesTheKernelThatTheseTestsMean(TensorType type, int tokens, ProductKernel expected)
    {
        if (GeneratedKernels.Refusal is not null || CpuFeatures.Current.Highest < CpuLevel.Avx512)
            Assert.Skip("No kernels are generated here.");
        Assert.Equal(expected, ProductKernels.Choose(type, tokens, Precision.Fast, CpuLevel.Avx512));
        Assert.NotEqual(ProductKernel.RowLanes, ProductKernels.Choose(type, 49, Precision.Fast, CpuLevel.Avx512));
    }

    [Fact]
    public void Multiply_SharedActivation_EqualsSingleProducts()
    {
        using var pool = new ComputePool(2);
        using var a = new TestMatrix(TensorType.Q4_K, 70, 512, 1);
        using var b = new TestMatrix(TensorType.Q6_K, 33, 512, 2);
        using var c = new TestMatrix(TensorType.Q8_0, 5, 512, 3);
        foreach (var tokens in new[] { 1, 3, 20 })
        {
            foreach (var precision in Precisions)
            {
                var x = RandomRow(tokens * 512, tokens);
                float[] ya = new float[tokens * 70], yb = new float[tokens * 33], yc = new float[tokens * 5];
                Product.Multiply(pool, a.Matrix, b.Matrix, c.Matrix, x, ya, yb, yc, tokens, precision);
                Assert.Equal(Single(pool, a, x, tokens, precision), ya);
                Assert.Equal(Single(pool, b, x, tokens, precision), yb);
                Assert.Equal(Single(pool, c, x, tokens, precision), yc);
                Array.Clear(ya);
                Array.Clear(yc);
                Product.Multiply(pool, c.Matrix, a.Matrix, x, yc, ya, tokens, precision);
                Assert.Equal(Single(pool, a, x, tokens, precision), ya);
                Assert.Equal(Single(pool, c, x, tokens, precision), yc);
            }
        }
    }

    [Theory]
    [InlineData(TensorType.Q4_0)]
    [InlineData(TensorType.Q4_K)]
    [InlineData(TensorType.Q4_1)]
    [InlineData(TensorType.Q5_1)]
    [InlineData(TensorType.Q8_0)]
    [InlineData(TensorType.F16)]
    public void Multiply_ExtremeActivations_StayWithinBoundsOrBecomeNaN(TensorType type)
    {
        foreach (var level in CpuFeatures.Available)
        {
            using var pool = new ComputePool(1, level);
            using var weights = new TestMatrix(type, 19, 512, 7);
            foreach (var tokens in new[] { 1, 6, 20 })
            {
                var x = new float[tokens * 512];
                var y = new float[tokens * 19];
                Array.Fill(y, float.NaN);
                Product.Multiply(pool, weights.Matrix, x, y, tokens, Precision.Fast);
                Assert.All(y, value => Assert.Equal(0, value));

                var plain = RandomRow(x.Length, 1);
                foreach (var scale in new[] { 1e-42f, 1e-36f, 1e-30f, 1e25f })
                {
                    for (var i = 0; i < x.Length; i++)
                        x[i] = plain[i] * scale;
                    Product.Multiply(pool, weights.Matrix, x, y, tokens, Precision.Fast);
                    Check(weights, x, y, tokens, FastTolerance(tokens), floor: 1e-28);
                }
                foreach (var bad in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
                {
                    plain.CopyTo(x, 0);
                    x[5] = bad;
                    Product.Multiply(pool, weights.Matrix, x, y, tokens, Precision.Fast);
                    Assert.All(y[..19], value => Assert.False(float.IsFinite(value)));
                    Assert.All(y[19..], value => Assert.True(float.IsFinite(value)));
                }
            }
        }
    }

    [Fact]
    public void Multiply_Exact_DoesNotDependOnTheBatch()
    {
        using var pool = new ComputePool(2);
        using var weights = new TestMatrix(TensorType.Q4_1, 67, 576, 3);
        var x = RandomRow(11 * 576, 4);
        var together = new float[11 * 67];
        Product.Multiply(pool, weights.Matrix, x, together, 11, Precision.Exact);
        for (var t = 0; t < 11; t++)
        {
            var alone = new float[67];
            Product.Multiply(pool, weights.Matrix, x.AsSpan(t * 576, 576), alone, 1, Precision.Exact);
            Assert.Equal(alone, together[(t * 67)..(t * 67 + 67)]);
        }
    }

    [Fact]
    public void Multiply_AfterTheFirst_AllocatesNothing()
    {
        // One thread, so that all of the work happens on the thread that is watched.
        using var pool = new ComputePool(1);
        using var weights = new TestMatrix(TensorType.Q4_0, 200, 512, 3);
        var x = RandomRow(40 * 512, 4);
        var y = new float[40 * 200];
        MultiplyAll();
        // A collection that another test sets off takes this thread's unused 8 KB, which then count: seen once in some ten runs.
        Assert.True(Allocated() == 0 || Allocated() == 0 || Allocated() == 0);

        long Allocated()
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            MultiplyAll();
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        void MultiplyAll()
        {
            for (var tokens = 1; tokens <= 40; tokens++)
            {
                foreach (var precision in Precisions)
                    Product.Multiply(pool, weights.Matrix, x, y, tokens, precision);
            }
        }
    }

    [Fact]
    public void Multiply_WrongSizes_Throws()
    {
        using var pool = new ComputePool(1);
        using var weights = new TestMatrix(TensorType.Q4_0, 4, 64, 1);
        using var other = new TestMatrix(TensorType.Q4_0, 4, 96, 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => Product.Multiply(pool, weights.Matrix, new float[63], new float[4], 1, Precision.Fast));
        Assert.Throws<ArgumentOutOfRangeException>(() => Product.Multiply(pool, weights.Matrix, new float[64], new float[3], 1, Precision.Fast));
        Assert.Throws<ArgumentException>(() => Product.Multiply(pool, weights.Matrix, other.Matrix, new float[96], new float[4], new float[4], 1, Precision.Fast));
    }

    // More tokens may be multiplied in bf16: both factors are then off by 2⁻⁹ at most.
    private static double FastTolerance(int tokens) => tokens > CodedRows.MostTokens ? 8e-3 : 1e-4;

    internal static float[] RandomRow(int length, int seed)
    {
        var random = new Random(seed);
        var row = new float[length];
        for (var i = 0; i < length; i++)
            row[i] = (float)((random.NextDouble() * 2 - 1) * (random.Next(20) == 0 ? 8 : 1));
        return row;
    }

    /// <summary>Compares with sums in F64. Errors are measured against the length of both vectors: that is what rounding scales with.</summary>
    internal static void Check(TestMatrix weights, ReadOnlySpan<float> x, ReadOnlySpan<float> y, int tokens, double tolerance, double floor = 0)
    {
        var (rows, columns) = (weights.Rows, weights.Columns);
        for (var t = 0; t < tokens; t++)
        {
            for (var r = 0; r < rows; r++)
            {
                double sum = 0, w2 = 0, x2 = 0;
                for (var k = 0; k < columns; k++)
                {
                    double w = weights.Values[r * columns + k], v = x[t * columns + k];
                    sum += w * v;
                    w2 += w * w;
                    x2 += v * v;
                }
                var error = Math.Abs(sum - y[t * rows + r]);
                Assert.True(error <= tolerance * Math.Sqrt(w2 * x2) + floor, $"{weights.Matrix.Type} row {r} token {t} of {tokens}: {y[t * rows + r]} instead of {sum}");
            }
        }
    }

    private static float[] Single(ComputePool pool, TestMatrix weights, float[] x, int tokens, Precision precision)
    {
        var y = new float[tokens * weights.Rows];
        Product.Multiply(pool, weights.Matrix, x, y, tokens, precision);
        return y;
    }
}
