namespace OpenHearth.Engine.SelfTesting;

/// <summary>How far two results are apart, and numbers to compute them from.</summary>
internal static class Deviation
{
    /// <summary>Largest |a - b| divided by what is allowed: <paramref name="relative"/> of |b|, but at least of <paramref name="scale"/>.</summary>
    public static double Largest(ReadOnlySpan<float> a, ReadOnlySpan<float> b, double relative, double scale = 1)
    {
        var largest = 0.0;
        for (var i = 0; i < a.Length; i++)
        {
            if (BitConverter.SingleToInt32Bits(a[i]) != BitConverter.SingleToInt32Bits(b[i]))
                largest = double.MaxMagnitude(largest, Math.Abs((double)a[i] - b[i]) / (relative * Math.Max(Math.Abs(b[i]), scale)));
        }
        return largest;
    }

    /// <summary>Normally distributed numbers, always the same for a seed (Box and Muller, 1958).</summary>
    public static float[] Normal(int seed, int count)
    {
        var random = new Random(seed);
        var values = new float[count];
        for (var i = 0; i < count; i++)
            values[i] = (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        return values;
    }
}
