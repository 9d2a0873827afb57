using System.Globalization;
using System.Numerics;
using OpenHearth.Engine.Templates.Running;

namespace OpenHearth.Engine.Templates.Text;

/// <summary>
/// Decimal digits of a float's exact value, ties to even: what C's <c>printf</c> gives, and .NET does not (it rounds ties
/// away from zero). Floats here are finite and not negative.
/// </summary>
internal static class ExactDecimal
{
    private const int MaxPrecision = 2000;

    /// <summary>A number of digits after the point.</summary>
    public static string Fixed(double value, int precision)
    {
        var digits = Scaled(value, precision).ToString(CultureInfo.InvariantCulture);
        if (precision == 0)
            return digits;
        digits = digits.PadLeft(precision + 1, '0');
        return $"{digits[..^precision]}.{digits[^precision..]}";
    }

    /// <summary>One digit, a point, a number of digits, an exponent of at least two.</summary>
    public static string Scientific(double value, int precision, out int exponent)
    {
        var digits = Significant(value, precision + 1, out exponent);
        var fraction = precision > 0 ? "." + digits[1..] : "";
        return $"{digits[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
    }

    /// <summary>C's <c>%g</c>; with <paramref name="keepZeros"/> its <c>%#g</c>.</summary>
    public static string General(double value, int precision, bool keepZeros)
    {
        precision = Math.Max(precision, 1);
        var text = Scientific(value, precision - 1, out var exponent);
        if (exponent >= -4 && exponent < precision)
            return StripZeros(Fixed(value, precision - 1 - exponent), keepZeros);
        var mark = text.IndexOf('e', StringComparison.Ordinal);
        return StripZeros(text[..mark], keepZeros) + text[mark..];
    }

    /// <summary>The float nearest to a value rounded to a number of digits after the point (before it, where negative).</summary>
    public static double Round(double value, int digits)
    {
        if (!double.IsFinite(value) || value == 0 || digits > 330)
            return value;
        if (digits < -310)
            return Math.CopySign(0, value);
        var scaled = Scaled(Math.Abs(value), digits).ToString(CultureInfo.InvariantCulture);
        var rounded = double.Parse($"{scaled}e{-digits}", CultureInfo.InvariantCulture);
        return Math.CopySign(rounded, value);
    }

    private static string StripZeros(string text, bool keep) =>
        keep || !text.Contains('.') ? text : text.TrimEnd('0').TrimEnd('.');

    private static string Significant(double value, int count, out int exponent)
    {
        exponent = 0;
        if (value == 0)
            return new string('0', Check(count));
        exponent = (int)Math.Floor(Math.Log10(value));
        while (true)
        {
            var digits = Scaled(value, count - 1 - exponent).ToString(CultureInfo.InvariantCulture);
            if (digits.Length == count)
                return digits;
            exponent += digits.Length > count ? 1 : -1;
        }
    }

    /// <summary>The value times a power of ten, rounded to an integer.</summary>
    private static BigInteger Scaled(double value, int power)
    {
        Check(Math.Abs(power));
        var bits = BitConverter.DoubleToInt64Bits(value);
        var biased = (int)(bits >> 52);
        var mantissa = new BigInteger(biased == 0 ? bits & 0xF_FFFF_FFFF_FFFF : (bits & 0xF_FFFF_FFFF_FFFF) | 0x10_0000_0000_0000);
        var exponent = Math.Max(biased, 1) - 1075;
        var numerator = mantissa << Math.Max(exponent, 0);
        var denominator = BigInteger.One << Math.Max(-exponent, 0);
        if (power >= 0)
            numerator *= BigInteger.Pow(10, power);
        else
            denominator *= BigInteger.Pow(10, -power);
        var quotient = BigInteger.DivRem(numerator, denominator, out var remainder);
        var half = (remainder * 2).CompareTo(denominator);
        return half > 0 || (half == 0 && !quotient.IsEven) ? quotient + 1 : quotient;
    }

    private static int Check(int precision) =>
        precision <= MaxPrecision ? precision : throw Errors.Limit($"more than {MaxPrecision} digits of a float");
}
