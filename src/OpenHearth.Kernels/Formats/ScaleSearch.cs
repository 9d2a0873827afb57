namespace OpenHearth.Kernels.Formats;

/// <summary>
/// How a search with a minimum walks: it tries the scales (largest code + first + i · step) / range for i from 0 to
/// <paramref name="Tries"/>, and keeps the one with the least weighted absolute or square error.
/// </summary>
internal readonly record struct MinimumSearch(float First, float Step, int Tries, bool Absolute = false)
{
    /// <summary>What is used wherever an importance matrix gives the weights.</summary>
    public static MinimumSearch Weighted { get; } = new(-0.9f, 0.05f, 36);
}

/// <summary>
/// The searches for scales that the encoders share. All sums run from first to last in F32 and nothing is fused, so that
/// the bytes equal those of ggml's reference code (ggml-quants.c), whose order of operations they follow.
/// </summary>
internal static class ScaleSearch
{
    /// <summary>A group whose magnitudes all lie below this is taken for zeros.</summary>
    public const float Nothing = 1e-15f;

    /// <summary>The nearest whole number, halves to even; wraps beyond ±2²² as the reference does.</summary>
    public static int Round(float value) => (BitConverter.SingleToInt32Bits(value + 12582912f) & 0x7F_FFFF) - 0x40_0000;

    /// <summary>The nearest whole number, halves away from zero.</summary>
    public static int RoundAway(float value) => (int)MathF.Round(value, MidpointRounding.AwayFromZero);

    /// <summary>The sum.</summary>
    public static float Sum(ReadOnlySpan<float> values)
    {
        var sum = 0f;
        foreach (var value in values)
            sum += value;
        return sum;
    }

    /// <summary>The sum of the squares.</summary>
    public static float SumOfSquares(ReadOnlySpan<float> values)
    {
        var sum = 0f;
        foreach (var value in values)
            sum += value * value;
        return sum;
    }

    /// <summary>The mean of the squares.</summary>
    public static float MeanSquare(ReadOnlySpan<float> values) => SumOfSquares(values) / values.Length;

    /// <summary>The squares.</summary>
    public static void Squares(ReadOnlySpan<float> values, Span<float> squares)
    {
        for (var i = 0; i < values.Length; i++)
            squares[i] = values[i] * values[i];
    }

    /// <summary>The value of greatest magnitude with its sign, the first of equals; 0 for none.</summary>
    public static float Extreme(ReadOnlySpan<float> values)
    {
        var (extreme, magnitude) = (0f, 0f);
        foreach (var value in values)
        {
            if (MathF.Abs(value) > magnitude)
                (extreme, magnitude) = (value, MathF.Abs(value));
        }
        return extreme;
    }

    /// <summary>The greatest magnitude; 0 for none.</summary>
    public static float LargestMagnitude(ReadOnlySpan<float> values) => MathF.Abs(Extreme(values));

    /// <summary>The greatest value; NaN are passed over.</summary>
    public static float Largest(ReadOnlySpan<float> values)
    {
        var largest = float.NegativeInfinity;
        foreach (var value in values)
            largest = value > largest ? value : largest;
        return largest;
    }

    /// <summary>A scale in steps of odd numbers, the form of the scales of all codebook formats.</summary>
    public static int OddSteps(float scale, float inverse, int largest) => Math.Clamp(Round(0.5f * (inverse * scale - 1)), 0, largest);

    /// <summary>Scale of a block of 32 whose codes run from 0 to 2n-1, with n for zero (Q4_0, Q5_0).</summary>
    public static float Legacy(ReadOnlySpan<float> values, Importance importance, int n, Span<byte> codes)
    {
        if (!importance.IsNone)
        {
            Span<float> weights = stackalloc float[32];
            importance.Weigh(values, importance.MeanSquare, weights);
            return Symmetric(values, weights, n, codes);
        }
        var scale = Extreme(values) / -n;
        var inverse = scale == 0 ? 0 : 1 / scale;
        for (var i = 0; i < values.Length; i++)
            codes[i] = (byte)Math.Clamp((int)(values[i] * inverse + (n + 0.5f)), 0, 2 * n - 1);
        return scale;
    }

    /// <summary>Scale and minimum of a block of 32 with codes from 0 (Q4_1, Q5_1).</summary>
    public static (float Scale, float Min) LegacyWithMinimum(ReadOnlySpan<float> values, Importance importance, int largest, Span<byte> codes)
    {
        if (!importance.IsNone)
        {
            Span<float> weights = stackalloc float[32];
            importance.Weigh(values, importance.MeanSquare, weights);
            var found = WithMinimum(values, weights, largest, MinimumSearch.Weighted, codes, out var below);
            return (found, -below);
        }
        var (min, max) = (float.MaxValue, float.MinValue);
        foreach (var value in values)
        {
            min = value < min ? value : min;
            max = value > max ? value : max;
        }
        var scale = (max - min) / largest;
        var inverse = scale == 0 ? 0 : 1 / scale;
        for (var i = 0; i < values.Length; i++)
            codes[i] = (byte)Math.Clamp((int)((values[i] - min) * inverse + 0.5f), 0, largest);
        return (scale, min);
    }

    /// <summary>Codes for values / scale + n, once more with the scale as it is stored; a scale of zero leaves them alone.</summary>
    /// <param name="values">[n]</param>
    /// <param name="scale">As stored.</param>
    /// <param name="below">Minimum as stored: what is added to the values first.</param>
    /// <param name="lowest">Value of code 0 in scales.</param>
    /// <param name="highest">Value of the largest code in scales.</param>
    /// <param name="codes">[n]</param>
    public static void Requantize(ReadOnlySpan<float> values, float scale, float below, int lowest, int highest, Span<byte> codes)
    {
        if (scale == 0)
            return;
        for (var i = 0; i < values.Length; i++)
            codes[i] = (byte)(Math.Clamp(Round((values[i] + below) / scale), lowest, highest) - lowest);
    }

    /// <summary>Scale with the least weighted square error for codes from 0 to 2n-1 with n for zero: the largest value's and 18 around it.</summary>
    public static float Symmetric(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, int n, Span<byte> codes)
    {
        var extreme = Extreme(values);
        if (MathF.Abs(extreme) < Nothing)
        {
            codes[..values.Length].Clear();
            return 0;
        }
        var inverse = -n / extreme;
        var (product, square) = Fit(values, weights, n, inverse);
        SymmetricCodes(values, n, inverse, codes);
        var scale = square != 0 ? product / square : 0;
        var best = scale * product;
        for (var attempt = -9; attempt <= 9; attempt++)
        {
            if (attempt == 0)
                continue;
            inverse = -(n + 0.1f * attempt) / extreme;
            (product, square) = Fit(values, weights, n, inverse);
            if (!(square > 0 && product * product > best * square))
                continue;
            SymmetricCodes(values, n, inverse, codes);
            scale = product / square;
            best = scale * product;
        }
        return scale;
    }

    /// <summary>The largest value's scale for codes from 0 to 2n-1 with n for zero, without a search.</summary>
    public static float SymmetricOnce(ReadOnlySpan<float> values, int n, Span<byte> codes)
    {
        var extreme = Extreme(values);
        if (extreme == 0)
        {
            codes[..values.Length].Clear();
            return 0;
        }
        var inverse = -n / extreme;
        SymmetricCodes(values, n, inverse, codes);
        return 1 / inverse;
    }

    /// <summary>As <see cref="Symmetric"/> with the squares as weights, but changing one code at a time while that helps.</summary>
    public static float SymmetricByTurns(ReadOnlySpan<float> values, int n, Span<byte> codes)
    {
        var extreme = Extreme(values);
        codes[..values.Length].Clear();
        if (MathF.Abs(extreme) < Nothing)
            return 0;
        SymmetricCodes(values, n, -n / extreme, codes);
        Span<float> weights = stackalloc float[values.Length];
        Squares(values, weights);
        var (product, square) = Fit(values, weights, n, -n / extreme);
        var changed = true;
        for (var turn = 0; turn < 5 && changed; turn++)
        {
            changed = false;
            for (var i = 0; i < values.Length; i++)
            {
                var (x, w, old) = (values[i], weights[i], codes[i] - n);
                var otherProduct = product - w * x * old;
                if (!(otherProduct > 0))
                    continue;
                var otherSquare = square - w * old * old;
                var code = Math.Clamp(Round(x * otherSquare / otherProduct), -n, n - 1);
                if (code == old)
                    continue;
                otherProduct += w * x * code;
                otherSquare += w * code * code;
                if (!(otherSquare > 0 && otherProduct * otherProduct * square > product * product * otherSquare))
                    continue;
                (codes[i], product, square, changed) = ((byte)(code + n), otherProduct, otherSquare, true);
            }
        }
        return square > 0 ? product / square : 0;
    }

    /// <summary>Scale and minimum with the least weighted error for codes from 0 to <paramref name="largest"/>.</summary>
    /// <param name="values">[n], at most 32</param>
    /// <param name="weights">[n]</param>
    /// <param name="largest">Largest code.</param>
    /// <param name="search">Which scales to try.</param>
    /// <param name="codes">[n]</param>
    /// <param name="below">How far below zero the minimum lies; never negative.</param>
    public static float WithMinimum(
        ReadOnlySpan<float> values, ReadOnlySpan<float> weights, int largest, MinimumSearch search, Span<byte> codes, out float below)
    {
        var (min, max) = (values[0], values[0]);
        var (sumW, sumX) = (weights[0], weights[0] * values[0]);
        for (var i = 1; i < values.Length; i++)
        {
            min = values[i] < min ? values[i] : min;
            max = values[i] > max ? values[i] : max;
            sumW += weights[i];
            sumX += weights[i] * values[i];
        }
        min = min > 0 ? 0 : min;
        if (max <= min)
        {
            codes[..values.Length].Clear();
            below = -min;
            return 0;
        }
        var inverse = largest / (max - min);
        var scale = 1 / inverse;
        Codes(values, inverse, min, largest, codes);
        var bestError = Error(values, weights, codes, scale, min, search.Absolute);
        Span<byte> attempt = stackalloc byte[values.Length];
        for (var i = 0; i <= search.Tries; i++)
        {
            // Each attempt starts from the minimum found so far, not from the values' own.
            Codes(values, (search.First + search.Step * i + largest) / (max - min), min, largest, attempt);
            var (sumL, sumLL, sumLX) = (0f, 0f, 0f);
            for (var j = 0; j < values.Length; j++)
            {
                var (w, code) = (weights[j], attempt[j]);
                sumL += w * code;
                sumLL += w * code * code;
                sumLX += w * code * values[j];
            }
            var determinant = sumW * sumLL - sumL * sumL;
            if (!(determinant > 0))
                continue;
            var nextScale = (sumW * sumLX - sumX * sumL) / determinant;
            var nextMin = (sumLL * sumX - sumL * sumLX) / determinant;
            if (nextMin > 0)
                (nextMin, nextScale) = (0, sumLX / sumLL);
            var error = Error(values, weights, attempt, nextScale, nextMin, search.Absolute);
            if (!(error < bestError))
                continue;
            attempt.CopyTo(codes);
            (bestError, scale, min) = (error, nextScale, nextMin);
        }
        below = -min;
        return scale;
    }

    /// <summary>Codes from 0 to <paramref name="largest"/> for values that are never negative (the scales of a block's groups).</summary>
    /// <param name="values">[n]</param>
    /// <param name="weights">[n], read where <paramref name="weighted"/></param>
    /// <param name="weighted">Whether to search the scale with the least weighted error, or take the largest value's.</param>
    /// <param name="largest">Largest code.</param>
    /// <param name="codes">[n]; a negative value wraps, as in the reference</param>
    /// <returns>The scale.</returns>
    public static float Positive(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, bool weighted, int largest, Span<byte> codes)
    {
        var max = Math.Max(Largest(values), 0);
        if (weighted ? max < Nothing : !(max > 0))
        {
            codes.Clear();
            return 0;
        }
        if (weighted)
            return PositiveWeighted(values, weights, max, largest, codes);
        var inverse = largest / max;
        for (var i = 0; i < values.Length; i++)
            codes[i] = (byte)Round(inverse * values[i]);
        return max / largest;
    }

    private static float PositiveWeighted(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, float max, int largest, Span<byte> codes)
    {
        var inverse = largest / max;
        // The reference keeps these first codes in bytes, where a negative one wraps.
        var bestError = PositiveError(values, weights, inverse, largest, 255);
        for (var attempt = -4; attempt <= 4; attempt++)
        {
            if (attempt == 0)
                continue;
            var other = (0.1f * attempt + largest) / max;
            var error = PositiveError(values, weights, other, largest, -1);
            if (error < bestError)
                (bestError, inverse) = (error, other);
        }
        var (product, square) = (0f, 0f);
        for (var i = 0; i < values.Length; i++)
        {
            var code = Math.Min(Round(inverse * values[i]), largest);
            codes[i] = (byte)code;
            product += weights[i] * values[i] * code;
            square += weights[i] * code * code;
        }
        var changed = true;
        for (var turn = 0; turn < 5 && changed; turn++)
        {
            changed = false;
            for (var i = 0; i < values.Length; i++)
            {
                var (x, w, old) = (values[i], weights[i], codes[i]);
                var (otherProduct, otherSquare) = (product - w * x * old, square - w * old * old);
                if (!(otherProduct > 0 && otherSquare > 0))
                    continue;
                var code = Math.Min(Round(x * otherSquare / otherProduct), largest);
                if (code == old)
                    continue;
                otherProduct += w * x * code;
                otherSquare += w * code * code;
                if (otherProduct * otherProduct * square > product * product * otherSquare)
                    (codes[i], product, square, changed) = ((byte)code, otherProduct, otherSquare, true);
            }
        }
        return square > 0 ? product / square : 0;
    }

    private static float PositiveError(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, float inverse, int largest, int mask)
    {
        var (scale, error) = (1 / inverse, 0f);
        for (var i = 0; i < values.Length; i++)
        {
            var difference = values[i] - scale * (Math.Min(Round(inverse * values[i]), largest) & mask);
            error += weights[i] * difference * difference;
        }
        return error;
    }

    private static void Codes(ReadOnlySpan<float> values, float inverse, float min, int largest, Span<byte> codes)
    {
        for (var i = 0; i < values.Length; i++)
            codes[i] = (byte)Math.Clamp(Round(inverse * (values[i] - min)), 0, largest);
    }

    private static float Error(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, ReadOnlySpan<byte> codes, float scale, float min, bool absolute)
    {
        var error = 0f;
        for (var i = 0; i < values.Length; i++)
        {
            var difference = scale * codes[i] + min - values[i];
            error += weights[i] * (absolute ? MathF.Abs(difference) : difference * difference);
        }
        return error;
    }

    private static void SymmetricCodes(ReadOnlySpan<float> values, int n, float inverse, Span<byte> codes)
    {
        for (var i = 0; i < values.Length; i++)
            codes[i] = (byte)(Math.Clamp(Round(inverse * values[i]), -n, n - 1) + n);
    }

    private static (float Product, float Square) Fit(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, int n, float inverse)
    {
        var (product, square) = (0f, 0f);
        for (var i = 0; i < values.Length; i++)
        {
            var code = Math.Clamp(Round(inverse * values[i]), -n, n - 1);
            product += weights[i] * values[i] * code;
            square += weights[i] * code * code;
        }
        return (product, square);
    }
}
