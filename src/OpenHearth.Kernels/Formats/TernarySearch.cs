namespace OpenHearth.Kernels.Formats;

/// <summary>What the encoders of <see cref="IQ1_S"/> and <see cref="IQ1_M"/> share: values that become −1, 0 or 1 plus or minus 1/8.</summary>
internal static class TernarySearch
{
    /// <summary>The codebook, where three shells count as near.</summary>
    public static readonly CodebookSearch Codes = new(IQ1_S.Grid, [-1, 0, 1], 8, 3);

    /// <summary>What the digits 0, 1 and 2 stand for.</summary>
    public static ReadOnlySpan<float> Digits(bool negativeShift) => negativeShift ? [-1.125f, -0.125f, 0.875f] : [-0.875f, 0.125f, 1.125f];

    /// <summary>Indices of values in rising order; equal values keep theirs.</summary>
    public static void Sort(ReadOnlySpan<float> values, Span<byte> order)
    {
        for (var i = 0; i < values.Length; i++)
        {
            var j = i;
            for (; j > 0 && values[order[j - 1]] > values[i]; j--)
                order[j] = order[j - 1];
            order[j] = (byte)i;
        }
    }

    /// <summary>Digits of sorted values cut in three, turned round for a negative scale.</summary>
    public static void Cut(ReadOnlySpan<byte> order, int first, int second, bool turned, Span<byte> digits)
    {
        for (var j = 0; j < order.Length; j++)
        {
            var digit = j < first ? 0 : j < second ? 1 : 2;
            digits[order[j]] = (byte)(turned ? 2 - digit : digit);
        }
    }

    /// <summary>The code of eight digits, or the best one near them.</summary>
    public static int Code(ReadOnlySpan<byte> digits, ReadOnlySpan<float> values, ReadOnlySpan<float> weights, float scale, bool negativeShift, ref bool allOwn)
    {
        var code = Codes.Find(digits);
        if (code >= 0)
            return code;
        allOwn = false;
        return Codes.Best(digits, values, weights, scale, Digits(negativeShift));
    }

    /// <summary>Adds the sums of a fit of eight values to their code, each digit times a factor.</summary>
    public static void Fit(int code, ReadOnlySpan<float> values, ReadOnlySpan<float> weights, bool negativeShift, int factor, ref float product, ref float square)
    {
        var digits = Codes.Digits(code);
        var meanings = Digits(negativeShift);
        for (var i = 0; i < 8; i++)
        {
            var q = meanings[digits[i]] * factor;
            product += weights[i] * q * values[i];
            square += weights[i] * q * q;
        }
    }
}
