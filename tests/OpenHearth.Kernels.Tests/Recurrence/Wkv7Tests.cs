using OpenHearth.Kernels.Recurrence;
using OpenHearth.Kernels.Tests.Vectors;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Kernels.Tests.Recurrence;

public sealed unsafe class Wkv7Tests
{
    private const int Tokens = 7, Heads = 2;

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(16)]
    [InlineData(35)]
    [InlineData(64)]
    public void Kernel_OfAnyWidth_IsTheFormula(int width)
    {
        var x = Inputs(width);
        var expected = Expected(x, width);
        float[] y = new float[Tokens * Heads * width], state = new float[Heads * width * width];
        fixed (float* r = x[0], fade = x[1], k = x[2], v = x[3], direction = x[4], replaced = x[5], ps = state, py = y)
        {
            var kernel = new Wkv7.Kernel { R = r, Fade = fade, K = k, V = v, Direction = direction, Replaced = replaced, State = ps, Y = py, Tokens = Tokens, Heads = Heads, Width = width };
            EveryWidth.Run(kernel, Heads, level =>
            {
                EveryWidth.AreClose(expected, y, 2e-6, level);
                state.AsSpan().Clear();
                y.AsSpan().Clear();
            });
        }
    }

    [Fact]
    public void Forward_InPieces_IsTheWhole()
    {
        const int Width = 20, Row = Heads * Width;
        using var pool = new ComputePool(2);
        var x = Inputs(Width);
        float[] state = new float[Row * Width], other = new float[Row * Width], whole = new float[Tokens * Row], pieces = new float[Tokens * Row];
        Wkv7.Forward(pool, x[0], x[1], x[2], x[3], x[4], x[5], state, whole, Tokens, Heads);
        foreach (var (t, count) in ((int, int)[])[(0, 1), (1, 4), (5, 2)])
        {
            ReadOnlySpan<float> Part(int input) => x[input].AsSpan(t * Row, count * Row);
            Wkv7.Forward(pool, Part(0), Part(1), Part(2), Part(3), Part(4), Part(5), other, pieces.AsSpan(t * Row, count * Row), count, Heads);
        }
        Assert.Equal(whole, pieces);
        Assert.Equal(state, other);
    }

    // r, fade, k, v, direction, replaced
    private static float[][] Inputs(int width)
    {
        var length = Tokens * Heads * width;
        float[] Share(int seed) => [.. EveryWidth.Random(seed, length, 0.5f).Select(value => 0.5f + value)];
        var scale = 1 / MathF.Sqrt(width);
        return
        [
            EveryWidth.Random(1, length, scale), Share(2), EveryWidth.Random(3, length, scale), EveryWidth.Random(4, length), EveryWidth.Random(5, length, scale), Share(6),
        ];
    }

    private static double[] Expected(float[][] x, int width)
    {
        var y = new double[Tokens * Heads * width];
        for (var head = 0; head < Heads; head++)
        {
            var s = new double[width, width];
            for (var t = 0; t < Tokens; t++)
            {
                var at = ((t * Heads) + head) * width;
                for (var j = 0; j < width; j++)
                    y[at + j] = Next(x, s, at, j, width);
            }
        }
        return y;
    }

    private static double Next(float[][] x, double[,] s, int at, int j, int width)
    {
        var known = 0.0;
        for (var i = 0; i < width; i++)
            known += s[i, j] * x[4][at + i];
        var sum = 0.0;
        for (var i = 0; i < width; i++)
        {
            var decay = Math.Exp(-Math.Exp(-0.5) * x[1][at + i]);
            s[i, j] = (s[i, j] * decay) - ((double)x[4][at + i] * x[5][at + i] * known) + ((double)x[2][at + i] * x[3][at + j]);
            sum += s[i, j] * x[0][at + i];
        }
        return sum;
    }
}
