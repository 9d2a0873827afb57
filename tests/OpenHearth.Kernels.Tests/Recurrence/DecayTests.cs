using OpenHearth.Kernels.Recurrence;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Kernels.Tests.Recurrence;

public sealed class DecayTests
{
    [Theory]
    [InlineData(-80f)]
    [InlineData(-17f)]
    [InlineData(-3.25f)]
    [InlineData(0f)]
    [InlineData(0.5f)]
    [InlineData(19f)]
    [InlineData(1e30f)]
    public void Forward_OfAnyNumber_IsTheFormula(float x)
    {
        using var pool = new ComputePool(1);
        float[] inputs = [x, x, x], bias = [0f, 0.5f, -1f], rate = [-0.25f, -4f, -1f];
        float[] steps = new float[3], decays = new float[3];
        Decay.Forward(pool, inputs, bias, [], steps, 1, 3);
        Decay.Forward(pool, inputs, bias, rate, decays, 1, 3);
        for (var i = 0; i < 3; i++)
        {
            var z = (double)(x + bias[i]);
            // Below -30 the first term of the series is all that a double holds.
            var step = z > 30 ? z : z < -30 ? Math.Exp(z) : Math.Log(1 + Math.Exp(z));
            Assert.Equal(step, steps[i], step * 2e-6);
            Assert.Equal(Math.Exp(rate[i] * step), decays[i], 2e-6);
        }
    }
}
