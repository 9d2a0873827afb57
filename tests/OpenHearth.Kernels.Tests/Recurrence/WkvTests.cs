using OpenHearth.Kernels.Recurrence;
using OpenHearth.Kernels.Tests.Vectors;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Kernels.Tests.Recurrence;

public sealed unsafe class WkvTests
{
    private const int Tokens = 12;

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(101)]
    public void Kernel_OfAnyWidth_IsTheFormula(int channels)
    {
        var (k, v, decay, first) = Inputs(channels);
        var expected = Expected(k, v, decay, first, channels);
        var y = new float[k.Length];
        float[] fresh = [.. new float[2 * channels], .. Enumerable.Repeat(-1e30f, channels)];
        var state = fresh.ToArray();
        fixed (float* pk = k, pv = v, pd = decay, pf = first, ps = state, py = y)
        {
            var kernel = new Wkv.Kernel { K = pk, V = pv, Decay = pd, First = pf, State = ps, Y = py, Tokens = Tokens, Channels = channels };
            EveryWidth.Run(kernel, (channels + 63) / 64, level =>
            {
                EveryWidth.AreClose(expected, y, 2e-6, level);
                fresh.CopyTo(state, 0);
                y.AsSpan().Clear();
            });
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void Forward_InPieces_IsTheWhole(int size)
    {
        const int Channels = 70;
        using var pool = new ComputePool(2);
        var (k, v, decay, first) = Inputs(Channels);
        float[] state = new float[3 * Channels], other = new float[3 * Channels], whole = new float[k.Length], pieces = new float[k.Length];
        Wkv.Forward(pool, k, v, decay, first, state, whole, Tokens, Channels);
        for (var t = 0; t < Tokens; t += size)
        {
            var count = Math.Min(size, Tokens - t);
            Wkv.Forward(
                pool, k.AsSpan(t * Channels, count * Channels), v.AsSpan(t * Channels, count * Channels), decay, first, other, pieces.AsSpan(t * Channels), count, Channels);
        }
        Assert.Equal(whole, pieces);
        Assert.Equal(state, other);
    }

    [Fact]
    public void Forward_OfKeysFarBelowZero_StaysAMean()
    {
        using var pool = new ComputePool(1);
        float[] state = new float[3], y = new float[2];
        Wkv.Forward(pool, [-500f, -500f], [1f, 3f], [-0.5f], [0f], state, y, 2, 1);
        Assert.Equal(1f, y[0], 1e-6f);
        Assert.Equal(2f, y[1], 1e-6f);
    }

    private static (float[] K, float[] V, float[] Decay, float[] First) Inputs(int channels) => (
        EveryWidth.Random(1, Tokens * channels, 5f), EveryWidth.Random(2, Tokens * channels),
        [.. EveryWidth.Random(3, channels).Select(value => -1.01f - value)], EveryWidth.Random(4, channels));

    // The definition: every weight is computed anew for every token.
    private static double[] Expected(float[] k, float[] v, float[] decay, float[] first, int channels)
    {
        var y = new double[k.Length];
        for (var t = 0; t < Tokens; t++)
        {
            for (var c = 0; c < channels; c++)
            {
                double sum = 0, weights = 0;
                for (var i = 0; i <= t; i++)
                {
                    var weight = Math.Exp(k[(i * channels) + c] + (i == t ? first[c] : (t - 1 - i) * (double)decay[c]));
                    sum += weight * v[(i * channels) + c];
                    weights += weight;
                }
                y[(t * channels) + c] = sum / weights;
            }
        }
        return y;
    }
}
