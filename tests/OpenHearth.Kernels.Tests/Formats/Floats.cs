namespace OpenHearth.Kernels.Tests.Formats;

/// <summary>Comparisons of float rows bit by bit.</summary>
internal static class Floats
{
    /// <summary>Every bit equal, but any NaN equals any NaN.</summary>
    public static void AssertSameBits(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, string about)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            if (BitConverter.SingleToInt32Bits(expected[i]) != BitConverter.SingleToInt32Bits(actual[i])
                && !(float.IsNaN(expected[i]) && float.IsNaN(actual[i])))
                Assert.Fail($"{about}: value {i} is {actual[i]:R}, not {expected[i]:R}.");
        }
    }
}
