using System.Numerics;
using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Methods;

/// <summary>Members of integers, booleans and floats.</summary>
internal static class NumberMethods
{
    private static readonly Dictionary<string, Builtin> Integers = Builtin.Table(
    [
        new("bit_length", static (_, value) => IntegerValue.Of((int)Magnitude(value).GetBitLength())),
        new("bit_count", static (_, value) => IntegerValue.Of((int)BigInteger.PopCount(Magnitude(value)))),
        new("conjugate", static (_, value) => value),
        new("as_integer_ratio", static (_, value) => new TupleValue([Whole(value), IntegerValue.Of(1)])),
    ]);

    private static readonly Dictionary<string, Builtin> Floats = Builtin.Table(
    [
        new("is_integer", static (_, value) => BooleanValue.Of(Math.Floor(((FloatValue)value).Value) == ((FloatValue)value).Value)),
        new("conjugate", static (_, value) => value),
    ]);

    public static Value? Find(Value number, string name)
    {
        if (name == "real")
            return number is BooleanValue ? Whole(number) : number;
        if (name == "imag")
            return number is FloatValue ? new FloatValue(0) : IntegerValue.Of(0);
        if (number is FloatValue)
            return Floats.TryGetValue(name, out var method) ? new FunctionValue(method, number) : null;
        return name switch
        {
            "numerator" => Whole(number),
            "denominator" => IntegerValue.Of(1),
            _ => Integers.TryGetValue(name, out var method) ? new FunctionValue(method, number) : null,
        };
    }

    private static IntegerValue Whole(Value value)
    {
        _ = Number.TryInteger(value, out var integer);
        return IntegerValue.Of(integer);
    }

    private static BigInteger Magnitude(Value value) => BigInteger.Abs(Whole(value).Value);
}
