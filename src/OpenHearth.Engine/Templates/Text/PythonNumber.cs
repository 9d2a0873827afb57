using System.Globalization;
using System.Numerics;
using OpenHearth.Engine.Templates.Running;

namespace OpenHearth.Engine.Templates.Text;

/// <summary>Numbers as Python prints and reads them.</summary>
internal static class PythonNumber
{
    /// <summary>The most digits that Python converts between integers and text.</summary>
    public const int MaxDigits = 4300;

    public static string Text(BigInteger value)
    {
        if (value.GetBitLength() > 14_284 && BigInteger.Abs(value) >= BigInteger.Pow(10, MaxDigits))
            throw Errors.Value($"Exceeds the limit ({MaxDigits} digits) for integer string conversion");
        return value.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>The shortest digits that read back as the same float; exponents below 1e-4 and from 1e16.</summary>
    public static string Text(double value)
    {
        if (!double.IsFinite(value))
            return NonFinite(value);
        var (digits, exponent) = Shortest(Math.Abs(value));
        var sign = double.IsNegative(value) ? "-" : "";
        if (exponent is < -4 or >= 16)
        {
            var fraction = digits.Length > 1 ? "." + digits[1..] : "";
            return $"{sign}{digits[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
        }
        if (exponent < 0)
            return $"{sign}0.{new string('0', -exponent - 1)}{digits}";
        return digits.Length <= exponent + 1
            ? $"{sign}{digits.PadRight(exponent + 1, '0')}.0"
            : $"{sign}{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}";
    }

    public static string NonFinite(double value) => double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";

    /// <summary>The digits of the shortest text of a float that isn't negative, and the power of ten of the first one.</summary>
    public static (string Digits, int Exponent) Shortest(double value)
    {
        if (value == 0)
            return ("0", 0);
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        var mark = text.IndexOf('E', StringComparison.Ordinal);
        var mantissa = mark < 0 ? text : text[..mark];
        var point = mantissa.IndexOf('.', StringComparison.Ordinal);
        var whole = point < 0 ? mantissa.Length : point;
        var all = mantissa.Replace(".", "", StringComparison.Ordinal);
        var leadingZeros = all.Length - all.TrimStart('0').Length;
        var digits = all.Trim('0');
        var exponent = whole - 1 - leadingZeros + (mark < 0 ? 0 : int.Parse(text.AsSpan(mark + 1), CultureInfo.InvariantCulture));
        return (digits, exponent);
    }

    /// <summary>Reads what Python's <c>int(text, base)</c> reads; null where it isn't an integer.</summary>
    public static BigInteger? ParseInteger(string text, int radix)
    {
        var rest = Trim(text);
        if (rest.Length > MaxDigits)
            throw Errors.Value($"Exceeds the limit ({MaxDigits} digits) for integer string conversion");
        var negative = rest.Length > 0 && rest[0] == '-';
        if (rest.Length > 0 && rest[0] is '+' or '-')
            rest = rest[1..];
        var prefixed = rest.Length > 1 && rest[0] == '0' ? char.ToLowerInvariant(rest[1]) switch { 'x' => 16, 'o' => 8, 'b' => 2, _ => 0 } : 0;
        if (prefixed != 0 && (radix == prefixed || radix == 0))
        {
            radix = prefixed;
            rest = rest[2..];
            if (rest.Length > 0 && rest[0] == '_')
                rest = rest[1..];
        }
        else if (radix == 0)
        {
            radix = 10;
        }
        if (rest.Length == 0 || rest[^1] == '_')
            return null;
        var value = BigInteger.Zero;
        var previous = '_';
        foreach (var unit in rest)
        {
            if (unit == '_' && previous == '_')
                return null;
            if (unit != '_')
            {
                var digit = Digit(unit);
                if (digit < 0 || digit >= radix)
                    return null;
                value = (value * radix) + digit;
            }
            previous = unit;
        }
        return negative ? -value : value;
    }

    /// <summary>Reads what Python's <c>float(text)</c> reads; null where it isn't a number.</summary>
    public static double? ParseFloat(string text)
    {
        var rest = Trim(text);
        var bare = rest.TrimStart("+-");
        if (rest.Length - bare.Length > 1 || bare.Length == 0)
            return null;
        var sign = rest[0] == '-' ? -1.0 : 1.0;
        if (bare.Equals("inf", StringComparison.OrdinalIgnoreCase) || bare.Equals("infinity", StringComparison.OrdinalIgnoreCase))
            return sign * double.PositiveInfinity;
        if (bare.Equals("nan", StringComparison.OrdinalIgnoreCase))
            return double.NaN;
        var digits = new char[bare.Length];
        var count = 0;
        for (var i = 0; i < bare.Length; i++)
        {
            if (bare[i] != '_')
                digits[count++] = char.IsDigit(bare[i]) ? (char)('0' + CharUnicodeInfo.GetDecimalDigitValue(bare[i])) : bare[i];
            else if (i == 0 || i == bare.Length - 1 || !char.IsAsciiDigit(bare[i - 1]) || !char.IsAsciiDigit(bare[i + 1]))
                return null;
        }
        const NumberStyles Style = NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        return double.TryParse(digits.AsSpan(0, count), Style, CultureInfo.InvariantCulture, out var value) ? sign * value : null;
    }

    private static ReadOnlySpan<char> Trim(string text)
    {
        var (start, end) = (0, text.Length);
        while (start < end && CodePoints.IsSpace(text[start]))
            start++;
        while (end > start && CodePoints.IsSpace(text[end - 1]))
            end--;
        return text.AsSpan(start, end - start);
    }

    private static int Digit(char unit) => unit switch
    {
        >= '0' and <= '9' => unit - '0',
        >= 'a' and <= 'z' => unit - 'a' + 10,
        >= 'A' and <= 'Z' => unit - 'A' + 10,
        > '\x7f' => CharUnicodeInfo.GetDecimalDigitValue(unit),
        _ => -1,
    };
}
