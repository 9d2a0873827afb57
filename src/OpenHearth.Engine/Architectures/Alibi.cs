namespace OpenHearth.Engine.Architectures;

/// <summary>Attention with linear biases: positions count only as distance. Source: Press et al., Train Short, Test Long, 2021.</summary>
internal static class Alibi
{
    /// <summary>[heads] what a score loses for each token of distance.</summary>
    /// <param name="heads">At least one.</param>
    /// <param name="steepest">The first of n = 2^k heads loses 2^(-steepest / n), the last 2^-steepest; heads beyond a power of two lie between.</param>
    public static float[] Slopes(int heads, double steepest = 8)
    {
        var power = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)heads);
        var even = power == heads ? power : power / 2;
        var slopes = new float[heads];
        for (var i = 0; i < heads; i++)
            slopes[i] = (float)Math.Pow(2, -steepest * (i < even ? (i + 1.0) / even : ((2 * (i - even)) + 1.0) / (2 * even)));
        return slopes;
    }
}
