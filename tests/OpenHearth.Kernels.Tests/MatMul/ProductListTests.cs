using OpenHearth.Kernels.Cpu;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Kernels.Tests.MatMul;

public sealed class ProductListTests
{
    private const int Products = 5;
    private const int Columns = 512;
    private const int Rows = 97;
    private static readonly int[] Counts = [1, 0, 7, 33, 2]; // rows of activations of each product

    public static TheoryData<TensorType, CpuLevel, int> Cases
    {
        get
        {
            var data = new TheoryData<TensorType, CpuLevel, int>();
            foreach (var type in (TensorType[])[TensorType.Q4_0, TensorType.Q6_K, TensorType.Q8_0, TensorType.F16, TensorType.F32, TensorType.IQ2_XXS])
            {
                foreach (var level in CpuFeatures.Available)
                {
                    foreach (var threads in (int[])[1, 3])
                        data.Add(type, level, threads);
                }
            }
            return data;
        }
    }

    // As experts do: activations are rows of a smaller buffer, some more than once; results lie side by side.
    [Theory]
    [MemberData(nameof(Cases))]
    public void Multiply_OfChosenRows_IsThatOfEachProductAlone(TensorType type, CpuLevel level, int threads)
    {
        using var pool = new ComputePool(threads, level);
        using var alone = new ComputePool(1, level);
        var matrices = Enumerable.Range(0, Products).Select(i => new TestMatrix(type, Rows, Columns, i)).ToArray();
        var total = Counts.Sum();
        int[] chosen = [.. Enumerable.Range(0, total).Select(i => i * 5 % 11)];
        var x = Random(11 * Columns, 1);
        var bias = Random(Products * Rows, 2);
        var list = new ProductList(Products);
        foreach (var precision in Enum.GetValues<Precision>())
        {
            var y = new float[total * Rows];
            list.Clear();
            for (var (i, first) = (0, 0); i < Products; first += Counts[i++])
            {
                if (Counts[i] > 0)
                    list.Add(matrices[i].Matrix, first, Counts[i], bias: bias, firstBias: i * Rows);
            }
            list.Multiply(pool, x, Columns, chosen, y, Rows, precision);
            for (var (i, first) = (0, 0); i < Products; first += Counts[i++])
            {
                float[] gathered = [.. chosen.Skip(first).Take(Counts[i]).SelectMany(row => x.Skip(row * Columns).Take(Columns))];
                var expected = new float[Counts[i] * Rows];
                Product.Multiply(alone, matrices[i].Matrix, gathered, expected, Counts[i], precision);
                for (var v = 0; v < expected.Length; v++)
                    expected[v] += bias[(i * Rows) + (v % Rows)];
                Assert.Equal(expected, y[(first * Rows)..((first + Counts[i]) * Rows)]);
            }
        }
        Array.ForEach(matrices, matrix => matrix.Dispose());
    }

    // As heads do: each product has some columns of the activations and some of the results.
    [Theory]
    [MemberData(nameof(Cases))]
    public void Multiply_OfColumns_IsThatOfEachProductAlone(TensorType type, CpuLevel level, int threads)
    {
        using var pool = new ComputePool(threads, level);
        using var alone = new ComputePool(1, level);
        var matrices = Enumerable.Range(0, Products).Select(i => new TestMatrix(type, Rows, Columns, i)).ToArray();
        var list = new ProductList(Products);
        foreach (var tokens in (int[])[1, 3, 20])
        {
            foreach (var precision in Enum.GetValues<Precision>())
            {
                var x = Random(tokens * Products * Columns, tokens);
                var y = new float[tokens * Products * Rows];
                list.Clear();
                for (var i = 0; i < Products; i++)
                    list.Add(matrices[i].Matrix, 0, tokens, i * Columns, i * Rows);
                list.Multiply(pool, x, Products * Columns, [], y, Products * Rows, precision);
                for (var i = 0; i < Products; i++)
                {
                    var expected = new float[tokens * Rows];
                    Product.Multiply(alone, matrices[i].Matrix, Part(x, i, Columns, tokens), expected, tokens, precision);
                    Assert.Equal(expected, Part(y, i, Rows, tokens));
                }
            }
        }
        Array.ForEach(matrices, matrix => matrix.Dispose());
    }

    // Large enough to be cut into several parts.
    [Theory]
    [InlineData(1)]
    [InlineData(9)]
    public void Multiply_OfLargeMatrices_IsThatOfEachProductAlone(int tokens)
    {
        const int Large = 1601;
        using var pool = new ComputePool(2);
        using var a = new TestMatrix(TensorType.Q8_0, Large, Columns, 1);
        using var b = new TestMatrix(TensorType.Q8_0, Large, Columns, 2);
        var x = Random(2 * tokens * Columns, 3);
        var y = new float[2 * tokens * Large];
        var list = new ProductList(2);
        list.Add(a.Matrix, 0, tokens);
        list.Add(b.Matrix, tokens, tokens);
        list.Multiply(pool, x, Columns, [], y, Large, Precision.Fast);
        var expected = new float[2 * tokens * Large];
        Product.Multiply(pool, a.Matrix, x, expected, tokens, Precision.Fast);
        Product.Multiply(pool, b.Matrix, x.AsSpan(tokens * Columns), expected.AsSpan(tokens * Large), tokens, Precision.Fast);
        Assert.Equal(expected, y);
    }

    [Fact]
    public void Multiply_BeyondABuffer_IsRefused()
    {
        using var pool = new ComputePool(2);
        using var matrix = new TestMatrix(TensorType.F32, 4, 8, 1);
        var list = new ProductList(1);
        list.Add(matrix.Matrix, 1, 2, 3, 5);
        void Run(int x, int[] rows, int y) => list.Multiply(pool, new float[x], 20, rows, new float[y], 10, Precision.Exact);
        Run(40 + 3 + 8, [], 20 + 5 + 4);
        Run(20 + 3 + 8, [9, 0, 1], 20 + 5 + 4);
        Assert.Throws<ArgumentOutOfRangeException>(() => Run(40 + 3 + 7, [], 20 + 5 + 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => Run(40 + 3 + 8, [], 20 + 5 + 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => Run(20 + 3 + 8, [0, 0, 2], 20 + 5 + 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => Run(20 + 3 + 8, [0, 0, -1], 20 + 5 + 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => Run(20 + 3 + 8, [0, 0], 20 + 5 + 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => list.Add(matrix.Matrix, 0, 1, bias: new float[7], firstBias: 4));
    }

    [Fact]
    public void Multiply_OnceWarm_AllocatesNothing()
    {
        using var pool = new ComputePool(1);
        using var matrix = new TestMatrix(TensorType.Q8_0, Rows, Columns, 1);
        var (x, y) = (Random(4 * Columns, 1), new float[4 * Rows]);
        var list = new ProductList(4);
        void Run()
        {
            list.Clear();
            for (var i = 0; i < 4; i++)
                list.Add(matrix.Matrix, i, 1);
            list.Multiply(pool, x, Columns, [], y, Rows, Precision.Fast);
        }
        Run();
        Run();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Run();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static float[] Part(float[] rows, int part, int width, int count) =>
        [.. Enumerable.Range(0, count).SelectMany(r => rows.Skip((r * rows.Length / count) + (part * width)).Take(width))];

    private static float[] Random(int length, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, length).Select(_ => (2 * random.NextSingle()) - 1)];
    }
}
