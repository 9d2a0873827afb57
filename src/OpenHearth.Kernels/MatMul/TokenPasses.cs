namespace OpenHearth.Kernels.MatMul;

/// <summary>How tokens are shared among passes of a kernel that takes only so many: evenly, the first passes one more where that doesn't work out.</summary>
/// <param name="tokens">All tokens.</param>
/// <param name="most">Most of a pass.</param>
internal readonly struct TokenPasses(int tokens, int most)
{
    /// <summary>Number of passes.</summary>
    public int Count => (tokens + most - 1) / most;

    /// <summary>First token of a pass; that of the pass behind the last is the number of tokens.</summary>
    public int First(int pass)
    {
        var (each, more) = Math.DivRem(tokens, Count);
        return pass * each + Math.Min(pass, more);
    }

    /// <summary>The pass of a token.</summary>
    public int Of(int token)
    {
        var pass = 0;
        while (First(pass + 1) <= token)
            pass++;
        return pass;
    }
}
