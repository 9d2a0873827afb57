using System.Numerics;
using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Text;

namespace OpenHearth.Engine.Templates.Values;

/// <summary>Python's operators. Results are charged to the budget before they are made.</summary>
internal static class Arithmetic
{
    public static Value Add(Rendering rendering, Value a, Value b)
    {
        switch (a, b)
        {
            case (StringValue x, StringValue y):
                return Concatenate(rendering, x, y);
            case (ListValue x, ListValue y):
                rendering.Budget.TakeItems((long)x.Items.Length + y.Items.Length);
                return new ListValue([.. x.Items, .. y.Items]);
            case (TupleValue x, TupleValue y):
                rendering.Budget.TakeItems((long)x.Items.Length + y.Items.Length);
                return new TupleValue([.. x.Items, .. y.Items]);
        }
        if (TryNumbers(a, b, out var left, out var right))
        {
            return left.IsInteger && right.IsInteger
                ? IntegerValue.Of(left.Integer + right.Integer)
                : new FloatValue(left.ToFloat() + right.ToFloat());
        }
        CheckDefined(a, b);
        if (a is StringValue or ListValue or TupleValue)
            throw Errors.Type($"can only concatenate {a.TypeName} (not \"{b.TypeName}\") to {a.TypeName}");
        throw Unsupported("+", a, b);
    }

    public static Value Subtract(Value a, Value b)
    {
        if (!TryNumbers(a, b, out var left, out var right))
            throw Unsupported("-", a, b);
        return left.IsInteger && right.IsInteger
            ? IntegerValue.Of(left.Integer - right.Integer)
            : new FloatValue(left.ToFloat() - right.ToFloat());
    }

    public static Value Multiply(Rendering rendering, Value a, Value b)
    {
        if (TryNumbers(a, b, out var left, out var right))
        {
            if (!left.IsInteger || !right.IsInteger)
                return new FloatValue(left.ToFloat() * right.ToFloat());
            ChargeBits(rendering, left.Integer.GetBitLength() + right.Integer.GetBitLength());
            return IntegerValue.Of(left.Integer * right.Integer);
        }
        CheckDefined(a, b);
        if (Number.TryInteger(b, out var times) && a is StringValue or ListValue or TupleValue)
            return Repeat(rendering, a, times);
        if (Number.TryInteger(a, out times) && b is StringValue or ListValue or TupleValue)
            return Repeat(rendering, b, times);
        if (a is StringValue or ListValue or TupleValue || b is StringValue or ListValue or TupleValue)
            throw Errors.Type($"can't multiply sequence by non-int of type '{(a is StringValue or ListValue or TupleValue ? b : a).TypeName}'");
        throw Unsupported("*", a, b);
    }

    public static Value Divide(Value a, Value b)
    {
        if (!TryNumbers(a, b, out var left, out var right))
            throw Unsupported("/", a, b);
        if (right.IsInteger ? right.Integer.IsZero : right.AsDouble == 0)
            throw Errors.Value(left.IsInteger && right.IsInteger ? "division by zero" : "float division by zero");
        return new FloatValue(left.IsInteger && right.IsInteger ? DivideIntegers(left.Integer, right.Integer) : left.ToFloat() / right.ToFloat());
    }

    /// <summary>The float nearest to a quotient of integers of any size.</summary>
    private static double DivideIntegers(BigInteger a, BigInteger b)
    {
        if (a.GetBitLength() <= 53 && b.GetBitLength() <= 53)
            return (double)a / (double)b;
        var shift = (int)Math.Max(0, 66 - (a.GetBitLength() - b.GetBitLength()));
        var quotient = BigInteger.DivRem(BigInteger.Abs(a) << shift, BigInteger.Abs(b), out var remainder);
        if (!remainder.IsZero)
            quotient |= 1;
        var result = Math.ScaleB(Number.Nearest(quotient), -shift);
        if (double.IsInfinity(result))
            throw Errors.Value("integer division result too large for a float");
        return a.Sign == b.Sign ? result : -result;
    }

    public static Value FloorDivide(Rendering rendering, Value a, Value b)
    {
        if (!TryNumbers(a, b, out var left, out var right))
            throw Unsupported("//", a, b);
        if (!left.IsInteger || !right.IsInteger)
            return new FloatValue(DivideFloats(left.ToFloat(), right.ToFloat(), "float floor division by zero").Quotient);
        CheckDivisor(right, "integer division or modulo by zero");
        ChargeBits(rendering, left.Integer.GetBitLength());
        var quotient = BigInteger.DivRem(left.Integer, right.Integer, out var remainder);
        return IntegerValue.Of(!remainder.IsZero && remainder.Sign != right.Integer.Sign ? quotient - 1 : quotient);
    }

    public static Value Modulo(Rendering rendering, Value a, Value b)
    {
        if (a is StringValue format)
            return PercentFormat.Format(rendering, format, b);
        if (!TryNumbers(a, b, out var left, out var right))
            throw Unsupported("%", a, b);
        if (!left.IsInteger || !right.IsInteger)
            return new FloatValue(DivideFloats(left.ToFloat(), right.ToFloat(), "float modulo").Remainder);
        CheckDivisor(right, "integer modulo by zero");
        ChargeBits(rendering, left.Integer.GetBitLength());
        var remainder = left.Integer % right.Integer;
        return IntegerValue.Of(!remainder.IsZero && remainder.Sign != right.Integer.Sign ? remainder + right.Integer : remainder);
    }

    public static Value Power(Rendering rendering, Value a, Value b)
    {
        if (!TryNumbers(a, b, out var left, out var right))
            throw Unsupported("** or pow()", a, b);
        if (left.IsInteger && right.IsInteger && right.Integer.Sign >= 0)
        {
            if (BigInteger.Abs(left.Integer) > 1 && right.Integer * (left.Integer.GetBitLength() - 1) > IntegerValue.MaxBits)
                throw Errors.Limit($"an integer of more than {IntegerValue.MaxBits} bits");
            if (BigInteger.Abs(left.Integer) <= 1)
                return IntegerValue.Of(right.Integer.IsZero ? 1 : left.Integer.Sign < 0 && right.Integer.IsEven ? 1 : left.Integer);
            ChargeBits(rendering, 8 * (long)right.Integer * left.Integer.GetBitLength());
            return IntegerValue.Of(BigInteger.Pow(left.Integer, (int)right.Integer));
        }
        var (x, y) = (left.ToFloat(), right.ToFloat());
        if (x == 0 && y < 0)
            throw Errors.Value("0.0 cannot be raised to a negative power");
        if (x < 0 && double.IsFinite(y) && Math.Floor(y) != y)
            throw Errors.Value("a negative number cannot be raised to a fractional power");
        var result = Math.Pow(x, y);
        if (double.IsInfinity(result) && double.IsFinite(x) && double.IsFinite(y))
            throw Errors.Value("(34, 'Numerical result out of range')");
        return new FloatValue(result);
    }

    public static Value Negate(Value value, bool positive)
    {
        if (value is UndefinedValue undefined)
            throw undefined.Failure();
        if (!Number.TryRead(value, out var number))
            throw Errors.Type($"bad operand type for unary {(positive ? '+' : '-')}: '{value.TypeName}'");
        if (number.IsInteger)
            return IntegerValue.Of(positive ? number.Integer : -number.Integer);
        return new FloatValue(positive ? number.AsDouble : -number.AsDouble);
    }

    /// <summary>Adds two texts; if one of them is markup, the other is escaped and the sum is markup.</summary>
    public static StringValue Concatenate(Rendering rendering, StringValue a, StringValue b)
    {
        if (a.IsMarkup != b.IsMarkup)
            (a, b) = (Html.Escape(rendering, a), Html.Escape(rendering, b));
        rendering.Budget.TakeText((long)a.Text.Length + b.Text.Length);
        rendering.Budget.Scan(a.Text.Length + b.Text.Length);
        return StringValue.Of(a.Text + b.Text, a.IsMarkup);
    }

    private static Value Repeat(Rendering rendering, Value value, BigInteger times)
    {
        times = BigInteger.Max(times, BigInteger.Zero);
        var size = times * (value is StringValue text ? text.Text.Length : value.Length!.Value);
        if (size > int.MaxValue)
            throw Errors.Limit("more memory than there is");
        rendering.Budget.Scan((int)size);
        if (value is StringValue source)
        {
            rendering.Budget.TakeText((long)size);
            return source.With(source.Text.Length == 0 ? "" : string.Create((int)size, source.Text, static (span, part) =>
            {
                for (; span.Length > 0; span = span[part.Length..])
                    part.CopyTo(span);
            }));
        }
        rendering.Budget.TakeItems((long)size);
        var items = value is ListValue list ? list.Items : ((TupleValue)value).Items;
        var repeated = new Value[(int)size];
        for (var i = 0; i < repeated.Length; i++)
            repeated[i] = items[i % items.Length];
        return value is ListValue ? new ListValue(repeated) : new TupleValue(repeated);
    }

    /// <summary>Quotient and remainder with the sign of the divisor, as Python divides floats.</summary>
    private static (double Quotient, double Remainder) DivideFloats(double a, double b, string zero)
    {
        if (b == 0)
            throw Errors.Value(zero);
        var remainder = a % b;
        var quotient = (a - remainder) / b;
        if (remainder != 0)
        {
            if (b < 0 != remainder < 0)
            {
                remainder += b;
                quotient -= 1;
            }
        }
        else
        {
            remainder = Math.CopySign(0, b);
        }
        if (quotient == 0)
            return (Math.CopySign(0, a / b), remainder);
        var floor = Math.Floor(quotient);
        return (quotient - floor > 0.5 ? floor + 1 : floor, remainder);
    }

    private static void CheckDivisor(Number divisor, string message)
    {
        if (divisor.Integer.IsZero)
            throw Errors.Value(message);
    }

    private static void ChargeBits(Rendering rendering, long bits)
    {
        if (bits > 4096)
            rendering.Budget.Step(bits / 64);
    }

    private static bool TryNumbers(Value a, Value b, out Number left, out Number right)
    {
        right = default;
        return Number.TryRead(a, out left) && Number.TryRead(b, out right);
    }

    private static void CheckDefined(Value a, Value b)
    {
        if (a is UndefinedValue left)
            throw left.Failure();
        if (b is UndefinedValue right)
            throw right.Failure();
    }

    private static TemplateException Unsupported(string sign, Value a, Value b)
    {
        CheckDefined(a, b);
        return Errors.Type($"unsupported operand type(s) for {sign}: '{a.TypeName}' and '{b.TypeName}'");
    }
}
