using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Tests;

/// <summary>Tests for divisibility.</summary>
internal static class NumberTests
{
    private static readonly IntegerValue Two = IntegerValue.Of(2);

    public static readonly Builtin[] All =
    [
        new("odd", static (r, value) => BooleanValue.Of(Remainder(r, value, Two) is 1)),
        new("even", static (r, value) => BooleanValue.Of(Remainder(r, value, Two) is 0)),
        new("divisibleby", 2, ["value", "num"], static (r, a) => BooleanValue.Of(Remainder(r, a[0]!, a[1]!) is 0)),
    ];

    private static double? Remainder(Rendering rendering, Value value, Value divisor) =>
        Number.TryRead(Arithmetic.Modulo(rendering, value, divisor), out var number) ? number.AsDouble : null;
}
