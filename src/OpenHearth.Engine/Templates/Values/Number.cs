using System.Globalization;
using System.Numerics;
using OpenHearth.Engine.Templates.Running;

namespace OpenHearth.Engine.Templates.Values;

/// <summary>An integer or a float, compared exactly across the two kinds.</summary>
internal readonly struct Number
{
    private readonly BigInteger _integer;
    private readonly double _float;

    private Number(BigInteger integer)
    {
        _integer = integer;
        IsInteger = true;
    }

    private Number(double value) => _float = value;

    public bool IsInteger { get; }

    /// <summary>The integer that this number is; null for a float with a fraction, an infinity or NaN.</summary>
    public BigInteger? AsInteger =>
        IsInteger ? _integer : double.IsFinite(_float) && Math.Floor(_float) == _float ? new BigInteger(_float) : null;

    public double AsDouble => IsInteger ? Nearest(_integer) : _float;

    /// <summary>The integer; only for <see cref="IsInteger"/>.</summary>
    public BigInteger Integer => _integer;

    /// <summary>The number as a float, as Python converts it.</summary>
    public double ToFloat()
    {
        var value = AsDouble;
        if (IsInteger && double.IsInfinity(value))
            throw Errors.Value("int too large to convert to float");
        return value;
    }

    public static bool TryRead(Value value, out Number number)
    {
        switch (value)
        {
            case IntegerValue integer:
                number = new(integer.Value);
                return true;
            case BooleanValue boolean:
                number = new(boolean.IsTrue ? BigInteger.One : BigInteger.Zero);
                return true;
            case FloatValue real:
                number = new(real.Value);
                return true;
            default:
                number = default;
                return false;
        }
    }

    /// <summary>Reads an integer or a boolean.</summary>
    public static bool TryInteger(Value value, out BigInteger integer)
    {
        var found = TryRead(value, out var number) && number.IsInteger;
        integer = number._integer;
        return found;
    }

    /// <summary>Negative, zero or positive; null where one of the two is NaN.</summary>
    public static int? Compare(Number a, Number b)
    {
        if (a.IsInteger && b.IsInteger)
            return a._integer.CompareTo(b._integer);
        if (double.IsNaN(a._float) || double.IsNaN(b._float))
            return null;
        if (a.IsInteger)
            return -CompareToInteger(b._float, a._integer);
        return b.IsInteger ? CompareToInteger(a._float, b._integer) : a._float.CompareTo(b._float);
    }

    public static bool operator ==(Number a, Number b) => Compare(a, b) == 0;

    public static bool operator !=(Number a, Number b) => Compare(a, b) != 0;

    public override bool Equals(object? obj) => obj is Number other && this == other;

    public override int GetHashCode() => AsDouble.GetHashCode();

    /// <summary>The nearest float, ties to even; the conversion of .NET cuts off instead.</summary>
    public static double Nearest(BigInteger integer)
    {
        if (integer.GetBitLength() <= 53)
            return (double)integer;
        if (integer.GetBitLength() > 1024)
            return integer.Sign > 0 ? double.PositiveInfinity : double.NegativeInfinity;
        return double.Parse(integer.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }

    private static int CompareToInteger(double value, BigInteger integer)
    {
        if (double.IsInfinity(value))
            return value > 0 ? 1 : -1;
        var whole = Math.Floor(value);
        var order = new BigInteger(whole).CompareTo(integer);
        return order != 0 ? order : value > whole ? 1 : 0;
    }
}
