using OpenHearth.Engine.Sampling;

namespace OpenHearth.Engine.Tests.Sampling;

public sealed class PortableMathTests
{
    [Fact]
    public void Exp_OverItsRange_IsNearTheLibrarys()
    {
        var random = new Random(1);
        for (var i = 0; i < 100_000; i++)
        {
            var x = -708 * Math.Pow(random.NextDouble(), 4);
            Assert.Equal(1, PortableMath.Exp(x) / Math.Exp(x), 2e-15);
        }
        Assert.Equal(1, PortableMath.Exp(0));
        Assert.Equal(0, PortableMath.Exp(-709));
        Assert.Equal(0, PortableMath.Exp(double.NegativeInfinity));
    }

    [Fact]
    public void Log_OverItsRange_IsNearTheLibrarys()
    {
        var random = new Random(2);
        for (var i = 0; i < 100_000; i++)
        {
            var x = Math.Exp(1400 * random.NextDouble() - 700);
            Assert.Equal(Math.Log(x), PortableMath.Log(x), 1e-15 * Math.Max(1, Math.Abs(Math.Log(x))));
        }
        Assert.Equal(0, PortableMath.Log(1));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(16)]
    [InlineData(33)]
    [InlineData(1001)]
    public void Exp_OfARow_EqualsTheScalarBitForBit(int length)
    {
        var random = new Random(length);
        var logits = new float[length];
        for (var i = 0; i < length; i++)
            logits[i] = i % 9 == 4 ? float.NegativeInfinity : (float)(-800 * Math.Pow(random.NextDouble(), 3)) + 5;
        var weights = new double[length + 3];
        var total = PortableMath.Exp(logits, 5, weights);
        for (var i = 0; i < length; i++)
            Assert.Equal(BitConverter.DoubleToInt64Bits(PortableMath.Exp((double)logits[i] - 5)), BitConverter.DoubleToInt64Bits(weights[i]));
        Assert.Equal(weights.Sum(), total, 1e-12 * total);
    }

    [Fact]
    public void Exp_OfKnownArguments_GivesTheBitsOfEveryPlatform()
    {
        // Recorded once; a platform that differs would draw other tokens for the same seed.
        Assert.Equal(0x3FD78B56362CEF38, BitConverter.DoubleToInt64Bits(PortableMath.Exp(-1)));
        Assert.Equal(0x3FE62E42FEFA39EF, BitConverter.DoubleToInt64Bits(PortableMath.Log(2)));
        Assert.Equal(0x40026BB1BBB55516, BitConverter.DoubleToInt64Bits(PortableMath.Log(10)));
    }
}
