using System.Numerics;
using OpenHearth.Engine.Templates.Methods;
using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Text;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Filters;

/// <summary>Filters that make or change numbers.</summary>
internal static class NumberFilters
{
    private static readonly string[] BinaryUnits = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"];
    private static readonly string[] DecimalUnits = ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];

    public static readonly Builtin[] All =
    [
        new("int", 1, ["value", "default", "base"], ToInteger),
        new("float", 1, ["value", "default"], ToFloat),
        new("abs", static (_, value) => Absolute(value)),
        new("round", 1, ["value", "precision", "method"], Round),
        new("filesizeformat", 1, ["value", "binary"], FileSize),
    ];

    private static Value ToInteger(Rendering rendering, Value?[] arguments)
    {
        var radix = StringMethods.Integer(arguments[2], 10);
        switch (arguments[0]!)
        {
            case UndefinedValue undefined:
                throw undefined.Failure();
            case StringValue text:
                rendering.Budget.Step((long)text.Text.Length * text.Text.Length >> 8);
                if (radix is not (0 or (>= 2 and <= 36)))
                    break;
                if (PythonNumber.ParseInteger(text.Text, radix) is { } integer)
                    return IntegerValue.Of(integer);
                if (PythonNumber.ParseFloat(text.Text) is { } real && double.IsFinite(real))
                    return IntegerValue.Of(new BigInteger(Math.Truncate(real)));
                break;
            case var value when Number.TryRead(value, out var number):
                if (number.IsInteger)
                    return IntegerValue.Of(number.Integer);
                if (double.IsFinite(number.AsDouble))
                    return IntegerValue.Of(new BigInteger(Math.Truncate(number.AsDouble)));
                if (double.IsInfinity(number.AsDouble))
                    throw Errors.Value("cannot convert float infinity to integer");
                break;
        }
        return arguments[1] ?? IntegerValue.Of(0);
    }

    private static Value ToFloat(Rendering rendering, Value?[] arguments) => arguments[0]! switch
    {
        UndefinedValue undefined => throw undefined.Failure(),
        StringValue text when PythonNumber.ParseFloat(text.Text) is { } real => new FloatValue(real),
        var value when Number.TryRead(value, out var number) => new FloatValue(number.ToFloat()),
        _ => arguments[1] ?? new FloatValue(0),
    };

    private static Value Absolute(Value value)
    {
        if (value is UndefinedValue or not (IntegerValue or BooleanValue or FloatValue))
            throw Errors.Type($"bad operand type for abs(): '{value.TypeName}'");
        _ = Number.TryRead(value, out var number);
        return number.IsInteger ? IntegerValue.Of(BigInteger.Abs(number.Integer)) : new FloatValue(Math.Abs(number.AsDouble));
    }

    private static Value Round(Rendering rendering, Value?[] arguments)
    {
        var method = arguments[2] is null ? "common" : rendering.Text(arguments[2]!);
        if (method is not ("common" or "ceil" or "floor"))
            throw Errors.Value("method must be common, ceil or floor");
        var precision = StringMethods.Integer(arguments[1], 0);
        if (arguments[0] is UndefinedValue undefined && method != "common")
            throw undefined.Failure();
        if (!Number.TryRead(arguments[0]!, out var number))
            throw Errors.Type($"type {arguments[0]!.TypeName} doesn't define __round__ method");
        if (method == "common")
            return number.IsInteger ? RoundInteger(number.Integer, precision) : new FloatValue(ExactDecimal.Round(number.AsDouble, precision));
        var scale = Math.Pow(10, precision);
        var scaled = number.ToFloat() * scale;
        return new FloatValue(((method == "ceil" ? Math.Ceiling(scaled) : Math.Floor(scaled)) + 0.0) / scale);
    }

    private static IntegerValue RoundInteger(BigInteger value, int precision)
    {
        if (precision >= 0)
            return IntegerValue.Of(value);
        if (precision < -PythonNumber.MaxDigits)
            return IntegerValue.Of(0);
        var unit = BigInteger.Pow(10, -precision);
        var quotient = BigInteger.DivRem(BigInteger.Abs(value), unit, out var remainder);
        var half = (2 * remainder).CompareTo(unit);
        if (half > 0 || (half == 0 && !quotient.IsEven))
            quotient++;
        return IntegerValue.Of(value.Sign * quotient * unit);
    }

    private static StringValue FileSize(Rendering rendering, Value?[] arguments)
    {
        if (arguments[0] is UndefinedValue undefined)
            throw undefined.Failure();
        var text = arguments[0] is StringValue word ? PythonNumber.ParseFloat(word.Text)
            : Number.TryRead(arguments[0]!, out var number) ? number.ToFloat() : null;
        var size = text ?? throw Errors.Type($"float() argument must be a string or a real number, not '{arguments[0]!.TypeName}'");
        var isBinary = arguments[1]?.IsTrue ?? false;
        var unit = isBinary ? 1024.0 : 1000.0;
        if (size == 1)
            return StringValue.Of("1 Byte");
        if (size < unit)
            return StringValue.Of($"{PythonNumber.Text(new BigInteger(Math.Truncate(size)))} Bytes");
        var names = isBinary ? BinaryUnits : DecimalUnits;
        var index = 0;
        var limit = unit * unit;
        for (; index < names.Length - 1 && size >= limit; index++)
            limit *= unit;
        return StringValue.Of($"{ExactDecimal.Fixed(unit * size / limit, 1)} {names[index]}");
    }
}
