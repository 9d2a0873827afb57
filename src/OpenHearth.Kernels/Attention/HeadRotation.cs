using System.Numerics;

namespace OpenHearth.Kernels.Attention;

/// <summary>
/// The orthonormal Hadamard transform of the parts of a head, which is its own inverse. Where values are stored rotated,
/// results are rotated back. It spreads single large
/// values over their neighbours, so that one scale serves them all. Source: Ashkboos et al., QuaRot, 2024.
/// </summary>
internal static unsafe class HeadRotation
{
    /// <summary>Values of the largest part.</summary>
    public const int Largest = 128;

    /// <summary>Values of a part: the largest power of two that divides the width; 1 where nothing turns.</summary>
    public static int PartOf(int width) => Math.Min(1 << BitOperations.TrailingZeroCount(width), Largest);

    /// <summary>Rotates the parts of a head where they lie.</summary>
    public static void Apply(float* head, int width, int part)
    {
        if (part == 1)
            return;
        for (var step = 1; step < part; step *= 2)
        {
            for (var first = 0; first < width; first += 2 * step)
            {
                for (var i = first; i < first + step; i++)
                    (head[i], head[i + step]) = (head[i] + head[i + step], head[i] - head[i + step]);
            }
        }
        var scale = 1 / MathF.Sqrt(part);
        for (var i = 0; i < width; i++)
            head[i] *= scale;
    }
}
