using System.Numerics;

namespace OpenHearth.Engine.Sampling;

/// <summary>The highest of a row of logits, and whether the row can be used at all.</summary>
internal static class Argmax
{
    /// <summary>Index of the highest logit, the first on a tie.</summary>
    /// <exception cref="NotFiniteNumberException">A logit is NaN or +∞, or all are −∞.</exception>
    public static int Of(ReadOnlySpan<float> logits)
    {
        var highest = Highest(logits);
        var width = Vector<float>.Count;
        var wanted = new Vector<float>(highest);
        var i = 0;
        while (i + width <= logits.Length && !Vector.EqualsAny(new Vector<float>(logits[i..]), wanted))
            i += width;
        while (logits[i] != highest)
            i++;
        return i;
    }

    /// <summary>The highest logit.</summary>
    /// <exception cref="NotFiniteNumberException">A logit is NaN or +∞, or all are −∞.</exception>
    public static float Highest(ReadOnlySpan<float> logits)
    {
        var width = Vector<float>.Count;
        var whole = logits.Length - logits.Length % (2 * width);
        var highest = new Vector<float>(float.NegativeInfinity);
        var other = highest;
        // x < +∞ is false for NaN and for +∞.
        var usable = Vector<int>.AllBitsSet;
        var infinity = new Vector<float>(float.PositiveInfinity);
        for (var i = 0; i < whole; i += 2 * width)
        {
            var a = new Vector<float>(logits[i..]);
            var b = new Vector<float>(logits[(i + width)..]);
            usable &= Vector.LessThan(a, infinity) & Vector.LessThan(b, infinity);
            highest = Vector.MaxNative(highest, a);
            other = Vector.MaxNative(other, b);
        }
        var result = float.NegativeInfinity;
        highest = Vector.MaxNative(highest, other);
        for (var lane = 0; lane < width; lane++)
            result = MathF.Max(result, highest[lane]);
        var good = Vector.EqualsAll(usable, Vector<int>.AllBitsSet);
        foreach (var rest in logits[whole..])
        {
            good &= rest < float.PositiveInfinity;
            result = MathF.Max(result, rest);
        }
        if (!good || result == float.NegativeInfinity)
            throw Unusable(logits);
        return result;
    }

    private static NotFiniteNumberException Unusable(ReadOnlySpan<float> logits)
    {
        for (var i = 0; i < logits.Length; i++)
        {
            if (!(logits[i] < float.PositiveInfinity))
            {
                return new NotFiniteNumberException(
                    $"Logit {i} of {logits.Length} is {logits[i]}: the model's numbers broke down. Its file may be damaged, or a bias too large.", logits[i]);
            }
        }
        return new NotFiniteNumberException(
            $"All {logits.Length} logits are −∞: logit biases or constraints leave no token to choose.", float.NegativeInfinity);
    }
}
