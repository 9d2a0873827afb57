namespace OpenHearth.Kernels.Formats;

/// <summary>Which groups of coordinates are fitted once more to the scale that was found.</summary>
internal enum Refit
{
    /// <summary>All of them, always.</summary>
    Always,

    /// <summary>All of them, if any of them had no point of its own.</summary>
    AllIfAny,

    /// <summary>Those that had no point of their own.</summary>
    OnlyThose,
}

/// <summary>
/// The search that the encoders of IQ2 and IQ3 formats share: signs apart, a scale and a point of the codebook for each few
/// values, with the order of operations of ggml's reference code (ggml-quants.c).
/// </summary>
/// <param name="search">Codebook.</param>
/// <param name="evenSigns">Whether each eight values must have an even number of negatives.</param>
/// <param name="nothing">A group whose magnitudes lie below this is taken for zeros.</param>
/// <param name="attempts">Scales tried on either side of the first.</param>
/// <param name="step">Between them, in units of the largest coordinate.</param>
/// <param name="refit">What is done with the scale found.</param>
internal sealed class CodebookEncoder(CodebookSearch search, bool evenSigns, float nothing, int attempts, float step, Refit refit)
{
    /// <summary>What each digit stands for.</summary>
    private static readonly float[] Odd = [1, 3, 5, 7, 9, 11, 13, 15];

    private readonly int _digits = search.Dimensions == 8 ? 3 : 8;

    /// <summary>Encodes a group.</summary>
    /// <param name="values">[n], at most 32</param>
    /// <param name="weights">[n]</param>
    /// <param name="signs">[n / 8], overwritten</param>
    /// <param name="codes">[n / dimensions], overwritten</param>
    /// <returns>The scale; 0 where the group is taken for zeros.</returns>
    public float Encode(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, Span<byte> signs, Span<ushort> codes)
    {
        var n = values.Length;
        Span<float> magnitudes = stackalloc float[n], roots = stackalloc float[n];
        Span<ushort> attempt = stackalloc ushort[codes.Length];
        Span<bool> own = stackalloc bool[codes.Length], attemptOwn = stackalloc bool[codes.Length];
        codes.Clear();
        own.Fill(refit == Refit.OnlyThose);
        for (var i = 0; i < n; i++)
            roots[i] = MathF.Sqrt(weights[i]);
        SplitSigns(values, weights, magnitudes, signs);
        var largest = ScaleSearch.Largest(magnitudes);
        var range = (float)(2 * _digits - 1);
        var scale = First(magnitudes, weights, largest, out var reach);
        if (!(largest > 0 && largest >= nothing && reach > 0))
        {
            signs.Clear();
            return 0;
        }
        var best = 0f;
        for (var i = -attempts; i <= attempts; i++)
        {
            var inverse = (range + i * step) / reach;
            for (var k = 0; k < codes.Length; k++)
                attempt[k] = Code(magnitudes, roots, k, inverse, 1 / inverse, out attemptOwn[k]);
            var (product, square) = Fit(magnitudes, weights, attempt);
            if (!(square > 0 && product * product > best * square))
                continue;
            scale = product / square;
            best = scale * product;
            attempt.CopyTo(codes);
            attemptOwn.CopyTo(own);
        }
        scale = FitAgain(magnitudes, weights, roots, scale, own, codes);
        if (scale < 0)
        {
            foreach (ref var sign in signs)
                sign = (byte)~sign;
        }
        return float.IsNaN(scale) ? 0 : MathF.Abs(scale);
    }

    /// <summary>The scale to begin with, and what the largest coordinate reaches with it.</summary>
    private float First(ReadOnlySpan<float> magnitudes, ReadOnlySpan<float> weights, float largest, out float reach)
    {
        reach = largest;
        if (refit != Refit.Always)
            return largest / (2 * _digits - 1);
        Span<byte> ignored = stackalloc byte[magnitudes.Length];
        var scale = ScaleSearch.Positive(magnitudes, weights, weighted: true, _digits + 1, ignored);
        reach = scale * _digits;
        return scale;
    }

    private float FitAgain(ReadOnlySpan<float> magnitudes, ReadOnlySpan<float> weights, ReadOnlySpan<float> roots, float scale, ReadOnlySpan<bool> own, Span<ushort> codes)
    {
        if (!(scale > 0) || refit != Refit.Always && !own.Contains(false))
            return scale;
        for (var k = 0; k < codes.Length; k++)
        {
            if (refit != Refit.OnlyThose || !own[k])
                codes[k] = Code(magnitudes, roots, k, 1 / scale, scale, out _);
        }
        var (product, square) = Fit(magnitudes, weights, codes);
        return square > 0 ? product / square : scale;
    }

    private ushort Code(ReadOnlySpan<float> magnitudes, ReadOnlySpan<float> roots, int k, float inverse, float scale, out bool own)
    {
        var d = search.Dimensions;
        Span<byte> digits = stackalloc byte[d];
        for (var i = 0; i < d; i++)
            digits[i] = (byte)Math.Clamp(ScaleSearch.Round(0.5f * (inverse * magnitudes[d * k + i] - 1)), 0, _digits - 1);
        var code = search.Find(digits);
        own = code >= 0;
        return (ushort)(own ? code : search.Best(digits, magnitudes.Slice(d * k, d), roots.Slice(d * k, d), scale, Odd));
    }

    private (float Product, float Square) Fit(ReadOnlySpan<float> magnitudes, ReadOnlySpan<float> weights, ReadOnlySpan<ushort> codes)
    {
        var (product, square) = (0f, 0f);
        for (var k = 0; k < codes.Length; k++)
        {
            var digits = search.Digits(codes[k]);
            for (var i = 0; i < digits.Length; i++)
            {
                var (w, q) = (weights[k * digits.Length + i], Odd[digits[i]]);
                product += w * magnitudes[k * digits.Length + i] * q;
                square += w * q * q;
            }
        }
        return (product, square);
    }

    /// <summary>Magnitudes and signs; where an even number of negatives is wanted the value that matters least changes its sign.</summary>
    private void SplitSigns(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, Span<float> magnitudes, Span<byte> signs)
    {
        signs.Clear();
        for (var i = 0; i < values.Length; i++)
        {
            var negative = !(values[i] >= 0);
            magnitudes[i] = negative ? -values[i] : values[i];
            signs[i / 8] |= (byte)((negative ? 1 : 0) << i % 8);
        }
        for (var k = 0; evenSigns && k < signs.Length; k++)
        {
            if (int.PopCount(signs[k]) % 2 == 0)
                continue;
            var (least, leastSquare) = (8 * k, float.PositiveInfinity);
            for (var i = 8 * k; i < 8 * k + 8; i++)
            {
                var square = weights[i] * values[i] * values[i];
                if (square < leastSquare)
                    (least, leastSquare) = (i, square);
            }
            magnitudes[least] = -magnitudes[least];
            signs[k] ^= (byte)(1 << least % 8);
        }
    }
}
