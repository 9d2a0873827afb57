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
}
