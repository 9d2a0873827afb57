using OpenHearth.Kernels.Recurrence;
using OpenHearth.Kernels.Tests.Vectors;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Kernels.Tests.Recurrence;

public sealed unsafe class ShortConvolutionTests
{
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(3, 5, 2)]
    [InlineData(17, 2, 4)]
    [InlineData(33, 1, 3)]
    [InlineData(100, 9, 4)]
    public void Kernel_OfAnyWidth_IsTheFormula(int channels, int tokens, int taps)
    {
        var (x, weight, bias, state) = Inputs(channels, tokens, taps);
        var expected = Expected(x, weight, bias, state, channels, tokens, taps);
        var y = new float[x.Length];
        fixed (float* px = x, pw = weight, pb = bias, ps = state, py = y)
        {
            EveryWidth.Run(
                new ShortConvolution.Kernel { X = px, Weight = pw, Bias = pb, State = ps, Y = py, Taps = taps, Channels = channels }, tokens,
                level => EveryWidth.AreClose(expected, y, 1e-6, level));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    public void Forward_InPieces_IsTheWhole(int size)
    {
        const int Channels = 21, Tokens = 11, Taps = 4;
        using var pool = new ComputePool(2);
        var (x, weight, bias, state) = Inputs(Channels, Tokens, Taps);
        var other = state.ToArray();
        float[] whole = new float[x.Length], pieces = new float[x.Length];
        ShortConvolution.Forward(pool, x, weight, bias, state, whole, Tokens, Channels);
        for (var t = 0; t < Tokens; t += size)
        {
            var count = Math.Min(size, Tokens - t);
            ShortConvolution.Forward(pool, x.AsSpan(t * Channels, count * Channels), weight, bias, other, pieces.AsSpan(t * Channels), count, Channels);
        }
        Assert.Equal(whole, pieces);
        Assert.Equal(state, other);
        Assert.Equal(x[^((Taps - 1) * Channels)..], state);
    }

    private static (float[] X, float[] Weight, float[] Bias, float[] State) Inputs(int channels, int tokens, int taps) => (
        EveryWidth.Random(1, tokens * channels), EveryWidth.Random(2, taps * channels), EveryWidth.Random(3, channels), EveryWidth.Random(4, (taps - 1) * channels));

    private static double[] Expected(float[] x, float[] weight, float[] bias, float[] state, int channels, int tokens, int taps)
    {
        float[] past = [.. state, .. x];
        var y = new double[x.Length];
        for (var t = 0; t < tokens; t++)
        {
            for (var c = 0; c < channels; c++)
            {
                y[(t * channels) + c] = bias[c];
                for (var j = 0; j < taps; j++)
                    y[(t * channels) + c] += (double)weight[(j * channels) + c] * past[((t + j) * channels) + c];
            }
        }
        return y;
    }
}
