using OpenHearth.Kernels.Elementwise;
using OpenHearth.Kernels.Tests.Vectors;

namespace OpenHearth.Kernels.Tests.Elementwise;

public sealed unsafe class ActivationTests
{
    [Theory]
    [InlineData(ActivationKind.Silu, 1e-6)]
    [InlineData(ActivationKind.Gelu, 1e-6)]
    [InlineData(ActivationKind.GeluTanh, 1e-6)]
    [InlineData(ActivationKind.Relu, 1e-6)]
    [InlineData(ActivationKind.ReluSquared, 1e-6)]
    [InlineData(ActivationKind.Sigmoid, 1e-6)]
    [InlineData(ActivationKind.ClampedSwish, 1e-6)]
    public void Gate_OverTheWholeRange_IsTheFormula(ActivationKind kind, double tolerance)
    {
        foreach (var width in (int[])[1, 7, 16, 31, 401])
        {
            // From far below to far above zero: e^x must neither overflow nor lose the sign.
            var gate = Enumerable.Range(0, width).Select(i => width == 401 ? (i - 200) * 0.6f : (i * 0.7f) - 3).ToArray();
            var up = EveryWidth.Random(3, width).Select(value => 9 * value).ToArray();
            var y = new float[width];
            var expected = gate.Select((x, i) => Formula(kind, x) * (kind == ActivationKind.ClampedSwish ? Math.Clamp(up[i], -7, 7) + 1 : up[i])).ToArray();
            fixed (float* pg = gate, pu = up, py = y)
                EveryWidth.Run(new Activation.Kernel { Gate = pg, Up = pu, Y = py, Kind = kind, Width = width }, 1, level => Check(expected, y, tolerance, level));
        }
    }

    private static void Check(double[] expected, float[] actual, double tolerance, string level)
    {
        for (var i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - actual[i]) <= tolerance * Math.Max(1, Math.Abs(expected[i])), $"{level}: value {i} is {actual[i]}, expected {expected[i]}");
    }

    private static double Formula(ActivationKind kind, double x) => kind switch
    {
        ActivationKind.Silu => x / (1 + Math.Exp(-x)),
        ActivationKind.GeluTanh => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x)))),
        ActivationKind.Gelu => 0.5 * x * (1 + Erf(x / Math.Sqrt(2))),
        ActivationKind.Relu => Math.Max(x, 0),
        ActivationKind.ReluSquared => Math.Max(x, 0) * Math.Max(x, 0),
        ActivationKind.ClampedSwish => Math.Min(x, 7) / (1 + Math.Exp(-1.702 * Math.Min(x, 7))),
        _ => 1 / (1 + Math.Exp(-x)),
    };

    // Taylor's series near 0, the continued fraction of erfc away from it: both to F64 precision.
    private static double Erf(double x)
    {
        if (Math.Abs(x) < 2.5)
        {
            double sum = x, term = x;
            for (var n = 1; n < 80; n++)
            {
                term *= -x * x / n;
                sum += term / ((2 * n) + 1);
            }
            return 2 / Math.Sqrt(Math.PI) * sum;
        }
        var z = Math.Abs(x);
        var fraction = z;
        for (var n = 100; n > 0; n--)
            fraction = z + (n / 2.0 / fraction);
        return Math.Sign(x) * (1 - (Math.Exp(-z * z) / Math.Sqrt(Math.PI) / fraction));
    }
}
