namespace OpenHearth.Kernels.Formats;

/// <summary>
/// Finds the point of a codebook for a point of whole coordinates (digits), as the encoders of the IQ formats do: the point
/// itself where it is in the set, else the best of those in the nearest shells around it. Thread-safe; what is nearest is
/// found once for each point that anyone asks for.
/// </summary>
internal sealed class CodebookSearch
{
    private readonly int _bits;
    private readonly int _shells;
    private readonly byte[] _digits; // [points, dimensions]
    private readonly short[] _codeOf; // by key; -1: not in the set
    private readonly ushort[]?[] _near; // by key: codes by distance, then by code

    /// <summary>Prepares a codebook.</summary>
    /// <param name="grid">[points × dimensions]</param>
    /// <param name="levels">What a coordinate can be, rising.</param>
    /// <param name="dimensions">8 or 4.</param>
    /// <param name="shells">How many different distances count as near.</param>
    public CodebookSearch(sbyte[] grid, sbyte[] levels, int dimensions, int shells)
    {
        (Dimensions, _shells) = (dimensions, shells);
        _bits = dimensions == 8 ? 2 : 3;
        _digits = [.. grid.Select(level => (byte)levels.IndexOf(level))];
        _codeOf = new short[1 << (_bits * dimensions)];
        _near = new ushort[_codeOf.Length][];
        Array.Fill(_codeOf, (short)-1);
        for (var code = 0; code < Points; code++)
            _codeOf[Key(Digits(code))] = (short)code;
    }

    /// <summary>Coordinates of a point.</summary>
    public int Dimensions { get; }

    /// <summary>Points of the set.</summary>
    public int Points => _digits.Length / Dimensions;

    /// <summary>The digits of a code. [dimensions]</summary>
    public ReadOnlySpan<byte> Digits(int code) => _digits.AsSpan(code * Dimensions, Dimensions);

    /// <summary>The code of a point, or -1 where it is not in the set.</summary>
    public int Find(ReadOnlySpan<byte> digits) => _codeOf[Key(digits)];

    /// <summary>The near point with the least weighted square error, the first of equals.</summary>
    /// <param name="digits">[dimensions] a point that is not in the set</param>
    /// <param name="values">[dimensions]</param>
    /// <param name="weights">[dimensions]</param>
    /// <param name="scale">Of the values.</param>
    /// <param name="meanings">What each digit stands for, in scales.</param>
    public int Best(ReadOnlySpan<byte> digits, ReadOnlySpan<float> values, ReadOnlySpan<float> weights, float scale, ReadOnlySpan<float> meanings)
    {
        var near = _near[Key(digits)] ??= Near(digits);
        var (best, bestError) = ((int)near[0], float.MaxValue);
        foreach (var code in near)
        {
            var point = Digits(code);
            var error = 0f;
            for (var i = 0; i < point.Length; i++)
            {
                var difference = scale * meanings[point[i]] - values[i];
                error += weights[i] * difference * difference;
            }
            if (error < bestError)
                (best, bestError) = (code, error);
        }
        return best;
    }

    private int Key(ReadOnlySpan<byte> digits)
    {
        var key = 0;
        for (var i = 0; i < digits.Length; i++)
            key |= digits[i] << (_bits * i);
        return key;
    }

    private ushort[] Near(ReadOnlySpan<byte> digits)
    {
        var distances = new int[Points];
        for (var code = 0; code < distances.Length; code++)
        {
            var point = Digits(code);
            for (var i = 0; i < point.Length; i++)
                distances[code] += (point[i] - digits[i]) * (point[i] - digits[i]);
        }
        var farthest = distances.Distinct().Order().Take(_shells).Last();
        return [.. Enumerable.Range(0, distances.Length).Where(code => distances[code] <= farthest).OrderBy(code => distances[code]).Select(code => (ushort)code)];
    }
}
