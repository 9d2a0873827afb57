using OpenHearth.Engine.Sampling;

namespace OpenHearth.Engine.Tests.Sampling;

public sealed class ArgmaxTests
{
    [Fact]
    public void Of_EveryPositionOfOddSizes_FindsTheFirstHighest()
    {
        for (var length = 1; length < 80; length++)
        {
            for (var position = 0; position < length; position++)
            {
                var logits = Enumerable.Range(0, length).Select(i => -1f - i % 3).ToArray();
                logits[position] = -0.5f;
                logits[^1] = MathF.Max(logits[^1], -0.5f);
                Assert.Equal(position, Argmax.Of(logits));
                Assert.Equal(-0.5f, Argmax.Highest(logits));
            }
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Of_AnUnusableNumberAnywhere_IsRefusedWithItsPosition(float value)
    {
        for (var length = 1; length < 70; length++)
        {
            for (var position = 0; position < length; position++)
            {
                var logits = new float[length];
                logits[position] = value;
                var error = Assert.Throws<NotFiniteNumberException>(() => Argmax.Of(logits));
                Assert.StartsWith($"Logit {position} of {length} is ", error.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Of_OnlyMinusInfinity_IsRefused()
    {
        var logits = Enumerable.Repeat(float.NegativeInfinity, 100).ToArray();
        Assert.Contains("leave no token", Assert.Throws<NotFiniteNumberException>(() => Argmax.Of(logits)).Message, StringComparison.Ordinal);
        logits[63] = float.MinValue;
        Assert.Equal(63, Argmax.Of(logits));
    }
}
