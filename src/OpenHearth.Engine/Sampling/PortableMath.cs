using System.Numerics;
using System.Runtime.InteropServices;

namespace OpenHearth.Engine.Sampling;

/// <summary>
/// Exponentials and logarithms with the same bits on every platform: the library functions of C runtimes differ in the
/// last place, and one such place can change which token a seed draws. Only additions, multiplications, divisions and
/// bit moves in a fixed order, never fused, so the vector width makes no difference either. Accurate to about 1e-15
/// relative.
/// </summary>
internal static class PortableMath
{
    // ln 2 in two parts (as fdlibm splits it), so that n·Ln2High is exact.
    private const double Ln2High = 6.93147180369123816490e-01;
    private const double Ln2Low = 1.90821492927058770002e-10;
    private const double Log2E = 1.4426950408889634;
    // Adding 1.5·2^52 rounds to an integer and leaves that integer in the low bits.
    private const double Rounder = 6755399441055744.0;
    // Below this the result would be subnormal; it counts as 0.
    private const double Smallest = -708;

    /// <summary>1/13! … 1/2!, for Horner's scheme of eʳ on |r| ≤ ½ ln 2.</summary>
    private static readonly double[] InverseFactorials =
    [
        1 / 6227020800.0, 1 / 479001600.0, 1 / 39916800.0, 1 / 3628800.0, 1 / 362880.0, 1 / 40320.0,
        1 / 5040.0, 1 / 720.0, 1 / 120.0, 1 / 24.0, 1 / 6.0, 1 / 2.0,
    ];

    /// <summary>eˣ for x ≤ 0.</summary>
    public static double Exp(double x)
    {
        if (x < Smallest)
            return 0;
        var rounded = x * Log2E + Rounder;
        var n = rounded - Rounder;
        var r = x - n * Ln2High - n * Ln2Low;
        var sum = InverseFactorials[0];
        for (var i = 1; i < InverseFactorials.Length; i++)
            sum = sum * r + InverseFactorials[i];
        sum = (sum * r + 1) * r + 1;
        return sum * BitConverter.Int64BitsToDouble((BitConverter.DoubleToInt64Bits(rounded) << 52) + BitConverter.DoubleToInt64Bits(1.0));
    }

    /// <summary>weights[i] = e^(logits[i] − highest), all logits at most <paramref name="highest"/>; returns their sum.</summary>
    public static double Exp(ReadOnlySpan<float> logits, float highest, Span<double> weights)
    {
        var width = Vector<float>.Count;
        var whole = logits.Length - logits.Length % width;
        var shift = new Vector<double>(highest);
        for (var i = 0; i < whole; i += width)
        {
            Vector.Widen(new Vector<float>(logits[i..]), out var low, out var high);
            Exp(low - shift).CopyTo(weights[i..]);
            Exp(high - shift).CopyTo(weights[(i + Vector<double>.Count)..]);
        }
        for (var i = whole; i < logits.Length; i++)
            weights[i] = Exp((double)logits[i] - highest);
        return Sum(weights[..logits.Length]);
    }

    /// <summary>Four running sums, then one: an order that no vector width changes.</summary>
    public static double Sum(ReadOnlySpan<double> values)
    {
        double a = 0, b = 0, c = 0, d = 0;
        var quads = MemoryMarshal.Cast<double, (double A, double B, double C, double D)>(values);
        foreach (ref readonly var quad in quads)
        {
            a += quad.A;
            b += quad.B;
            c += quad.C;
            d += quad.D;
        }
        foreach (var rest in values[(quads.Length * 4)..])
            a += rest;
        return a + b + (c + d);
    }

    /// <summary>ln x for normal positive x, by the series of 2·artanh((m−1)/(m+1)) with m in [√½, √2).</summary>
    public static double Log(double x)
    {
        var bits = BitConverter.DoubleToInt64Bits(x);
        var exponent = (int)(bits >> 52) - 1023;
        var m = BitConverter.Int64BitsToDouble((bits & 0xFFFFFFFFFFFFF) | 0x3FF0000000000000);
        if (m > 1.4142135623730951)
        {
            m *= 0.5;
            exponent++;
        }
        var s = (m - 1) / (m + 1);
        var squared = s * s;
        var sum = 0.0;
        for (var k = 21; k >= 3; k -= 2)
            sum = (sum + 1.0 / k) * squared;
        return 2 * s * (1 + sum) + exponent * Ln2Low + exponent * Ln2High;
    }

    private static Vector<double> Exp(Vector<double> x)
    {
        var tiny = Vector.LessThan(x, new Vector<double>(Smallest));
        x = Vector.Max(x, new Vector<double>(Smallest));
        var rounder = new Vector<double>(Rounder);
        var rounded = x * Log2E + rounder;
        var n = rounded - rounder;
        var r = x - n * Ln2High - n * Ln2Low;
        var sum = new Vector<double>(InverseFactorials[0]);
        for (var i = 1; i < InverseFactorials.Length; i++)
            sum = sum * r + new Vector<double>(InverseFactorials[i]);
        sum = (sum * r + Vector<double>.One) * r + Vector<double>.One;
        var power = Vector.AsVectorDouble(Vector.ShiftLeft(Vector.AsVectorInt64(rounded), 52) + Vector.AsVectorInt64(Vector<double>.One));
        return Vector.ConditionalSelect(tiny, Vector<double>.Zero, sum * power);
    }
}
