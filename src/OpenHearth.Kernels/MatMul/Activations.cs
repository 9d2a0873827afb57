using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OpenHearth.Kernels.MatMul;

/// <summary>
/// Activations for integer kernels: 16-bit integers with one scale a row. The largest magnitude of a row becomes
/// <see cref="Largest"/>, so the rounding error of a product is at most 2⁻¹⁶·√columns of what its largest input adds.
/// </summary>
internal static unsafe class Activations
{
    /// <summary>The largest integer whose upper and lower byte are both signed bytes.</summary>
    public const int Largest = 127 * 256 + 127;

    // Rows smaller than this count as zero: the inverse of their scale would overflow.
    private const float Nothing = 1e-33f;

    /// <summary>Scale of a row, and its inverse for rounding. A row with infinities or NaN gets NaN, and so do its products.</summary>
    /// <param name="x">[columns]</param>
    /// <param name="columns">Values in the row.</param>
    /// <param name="inverse">What to multiply values with before rounding; 0 where the row is nothing.</param>
    public static float Scale(float* x, int columns, out float inverse)
    {
        // Magnitudes order like their bits, and NaN and infinity come last.
        var largest = Vector256<int>.Zero;
        var magnitude = Vector256.Create(0x7FFF_FFFF);
        var i = 0;
        for (; i <= columns - 8; i += 8)
            largest = Vector256.Max(largest, Vector256.Load((int*)x + i) & magnitude);
        var bits = 0;
        for (var k = 0; k < 8; k++)
            bits = Math.Max(bits, largest[k]);
        for (; i < columns; i++)
            bits = Math.Max(bits, ((int*)x)[i] & 0x7FFF_FFFF);
        var peak = BitConverter.Int32BitsToSingle(bits);
        inverse = 0;
        if (!float.IsFinite(peak))
            return float.NaN;
        if (peak < Nothing)
            return 0;
        inverse = Largest / peak;
        return peak / Largest;
    }

    /// <summary>Rounds a row, ties to even.</summary>
    /// <param name="x">[columns]</param>
    /// <param name="columns">Values in the row, a multiple of 16.</param>
    /// <param name="inverse">From <see cref="Scale"/>.</param>
    /// <param name="codes">[columns]</param>
    public static void Round(float* x, int columns, float inverse, short* codes)
    {
        if (inverse == 0)
        {
            new Span<short>(codes, columns).Clear();
            return;
        }
        for (var i = 0; i < columns; i += 16)
            Vector256.Narrow(RoundEight(x + i, inverse), RoundEight(x + i + 8, inverse)).Store(codes + i);
    }

    /// <summary>Sums of the integers of each group.</summary>
    /// <param name="codes">[columns]</param>
    /// <param name="columns">Values in the row, whole groups.</param>
    /// <param name="group">16 or 32.</param>
    /// <param name="sums">[columns / group]</param>
    public static void Sum(short* codes, int columns, int group, float* sums)
    {
        for (var i = 0; i < columns; i += group)
        {
            var (low, high) = Vector256.Widen(Vector256.Load(codes + i));
            var sum = low + high;
            if (group == 32)
            {
                (low, high) = Vector256.Widen(Vector256.Load(codes + i + 16));
                sum += low + high;
            }
            *sums++ = Vector256.Sum(sum);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> RoundEight(float* x, float inverse) =>
        Vector256.ConvertToInt32Native(Vector256.Round(Vector256.Load(x) * inverse));
}
