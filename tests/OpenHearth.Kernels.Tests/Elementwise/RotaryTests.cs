using OpenHearth.Kernels.Elementwise;
using OpenHearth.Kernels.Tests.Vectors;

namespace OpenHearth.Kernels.Tests.Elementwise;

public sealed unsafe class RotaryTests
{
    [Theory]
    [InlineData(RotaryPairing.Halves, 8, 0, 8)]
    [InlineData(RotaryPairing.Halves, 64, 0, 64)]
    [InlineData(RotaryPairing.Halves, 80, 0, 20)]
    [InlineData(RotaryPairing.Halves, 96, 64, 32)]
    [InlineData(RotaryPairing.Neighbours, 8, 0, 8)]
    [InlineData(RotaryPairing.Neighbours, 48, 16, 32)]
    public void Forward_OfEveryPairing_TurnsPairsAndLeavesTheRest(RotaryPairing pairing, int headWidth, int offset, int dimensions)
    {
        const int Tokens = 3, Heads = 2;
        var x = EveryWidth.Random(1, Tokens * Heads * headWidth);
        var turns = EveryWidth.Random(2, Tokens * dimensions / 2, 3);
        var angles = new float[Tokens * dimensions];
        var expected = x.Select(v => (double)v).ToArray();
        for (var t = 0; t < Tokens; t++)
        {
            for (var i = 0; i < dimensions / 2; i++)
            {
                var (sine, cosine) = Math.SinCos(turns[(t * dimensions / 2) + i]);
                angles[(t * dimensions) + i] = (float)cosine;
                angles[(t * dimensions) + (dimensions / 2) + i] = (float)sine;
                for (var h = 0; h < Heads; h++)
                {
                    var start = (((t * Heads) + h) * headWidth) + offset;
                    var (a, b) = pairing == RotaryPairing.Halves ? (start + i, start + i + (dimensions / 2)) : (start + (2 * i), start + (2 * i) + 1);
                    (expected[a], expected[b]) = ((x[a] * cosine) - (x[b] * sine), (x[a] * sine) + (x[b] * cosine));
                }
            }
        }
        var y = new float[x.Length];
        fixed (float* px = x, pa = angles, py = y)
        {
            var kernel = new Rotary.Kernel { X = px, Angles = pa, Y = py, Heads = Heads, HeadWidth = headWidth, Offset = offset, Dimensions = dimensions, Pairing = pairing };
            EveryWidth.Run(kernel, Tokens, level => EveryWidth.AreClose(expected, y, 1e-6, level));
        }
    }
}
