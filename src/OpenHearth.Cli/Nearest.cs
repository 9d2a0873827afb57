namespace OpenHearth.Cli;

/// <summary>Finds what somebody most likely meant.</summary>
internal static class Nearest
{
    private const int LongestCompared = 64;

    /// <summary>The candidate with the fewest typing errors between, or null when all are too far off.</summary>
    public static string? To(string typed, IEnumerable<string> candidates)
    {
        if (typed.Length is 0 or > LongestCompared)
            return null;
        var best = default(string);
        var bestDistance = Math.Max(1, typed.Length / 3) + 1;
        foreach (var candidate in candidates)
        {
            var distance = candidate.Length > typed.Length && candidate.StartsWith(typed, StringComparison.OrdinalIgnoreCase)
                ? 1
                : Distance(typed, candidate);
            if (distance < bestDistance)
                (best, bestDistance) = (candidate, distance);
        }
        return best;
    }

    /// <summary>
    /// Insertions, deletions, substitutions and swaps of neighbours, letter case ignored (optimal string alignment,
    /// Damerau 1964).
    /// </summary>
    public static int Distance(string a, string b)
    {
        if (a.Length > LongestCompared || b.Length > LongestCompared)
            return int.MaxValue;
        var d = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
            d[i, 0] = i;
        for (var j = 0; j <= b.Length; j++)
            d[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                d[i, j] = Math.Min(Math.Min(d[i - 1, j], d[i, j - 1]) + 1, d[i - 1, j - 1] + (Same(a[i - 1], b[j - 1]) ? 0 : 1));
                if (i > 1 && j > 1 && Same(a[i - 1], b[j - 2]) && Same(a[i - 2], b[j - 1]))
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        }
        return d[a.Length, b.Length];
    }

    private static bool Same(char x, char y) => char.ToUpperInvariant(x) == char.ToUpperInvariant(y);
}
