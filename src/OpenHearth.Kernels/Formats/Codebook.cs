using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace OpenHearth.Kernels.Formats;

/// <summary>
/// The codebooks of the IQ formats. A codebook is a set of points whose coordinates take few levels. It is kept as a
/// bitmap over all conceivable points, numbered with the first coordinate as the lowest digit; a point's code is its
/// place among those that are in the set.
/// </summary>
internal static class Codebook
{
    /// <summary>Lists the points in the order of their codes.</summary>
    /// <param name="levels">What a coordinate can be, rising.</param>
    /// <param name="dimensions">Coordinates of a point.</param>
    /// <param name="bitmap">Base64; bit i is set where point i of all levels^dimensions is in the set.</param>
    /// <returns>[points × dimensions]</returns>
    public static sbyte[] Unpack(ReadOnlySpan<sbyte> levels, int dimensions, string bitmap)
    {
        var bits = Convert.FromBase64String(bitmap);
        var points = new List<sbyte>();
        for (var i = 0; i < bits.Length * 8; i++)
        {
            if ((bits[i / 8] >> (i % 8) & 1) == 0)
                continue;
            var digits = i;
            for (var k = 0; k < dimensions; k++, digits /= levels.Length)
                points.Add(levels[digits % levels.Length]);
        }
        return [.. points];
    }

    /// <summary>Writes scale · point with the signs of a byte: bit k set means coordinate k is negative.</summary>
    /// <param name="point">[8 or 4]</param>
    /// <param name="signs">Signs, the first coordinate's in bit 0.</param>
    /// <param name="scale">Factor.</param>
    /// <param name="values">[8 or 4]</param>
    public static void Decode(ReadOnlySpan<sbyte> point, int signs, float scale, Span<float> values)
    {
        for (var k = 0; k < point.Length; k++)
            values[k] = scale * ((signs >> k & 1) == 0 ? point[k] : -point[k]);
    }

    /// <summary>Eight signs of which seven are stored: the last one makes the number of negatives even.</summary>
    public static int EvenSigns(int seven) => seven | (int.PopCount(seven) & 1) << 7;

    /// <summary>For each byte of signs eight bytes, all ones where the bit is set.</summary>
    public static readonly ulong[] SignBytes = [.. Enumerable.Range(0, 256).Select(signs =>
        Enumerable.Range(0, 8).Aggregate(0UL, (bytes, k) => (signs >> k & 1) == 0 ? bytes : bytes | 0xFFUL << 8 * k))];

    /// <summary>As <see cref="SignBytes"/> for signs of which seven are stored. [128]</summary>
    public static readonly ulong[] EvenSignBytes = [.. Enumerable.Range(0, 128).Select(seven => SignBytes[EvenSigns(seven)])];

    /// <summary>Two points of eight coordinates, or four of four, with their signs.</summary>
    /// <param name="points">16 coordinates.</param>
    /// <param name="negative">All ones where a coordinate is negative.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<sbyte> Signed(Vector128<sbyte> points, Vector128<sbyte> negative) => (points ^ negative) - negative;

    /// <summary>A codebook's points of eight coordinates as one number each. [points]</summary>
    public static ReadOnlySpan<ulong> Eights(sbyte[] grid) => MemoryMarshal.Cast<sbyte, ulong>(grid);

    /// <summary>A codebook's points of four coordinates as one number each. [points]</summary>
    public static ReadOnlySpan<uint> Fours(sbyte[] grid) => MemoryMarshal.Cast<sbyte, uint>(grid);
}
