using OpenHearth.Engine.Templates.Filters;
using OpenHearth.Engine.Templates.Methods;
using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Tests;

/// <summary>Tests for what a value is.</summary>
internal static class TypeTests
{
    public static readonly Builtin[] All =
    [
        Is("defined", static value => value is not UndefinedValue),
        Is("undefined", static value => value is UndefinedValue),
        Is("none", static value => value is NoneValue),
        Is("boolean", static value => value is BooleanValue),
        Is("true", static value => ReferenceEquals(value, BooleanValue.True)),
        Is("false", static value => ReferenceEquals(value, BooleanValue.False)),
        Is("integer", static value => value is IntegerValue),
        Is("float", static value => value is FloatValue),
        Is("number", static value => value is IntegerValue or FloatValue or BooleanValue),
        Is("string", static value => value is StringValue),
        Is("mapping", static value => value is DictValue),
        Is("sequence", static value => value is StringValue or ListValue or TupleValue or DictValue or RangeValue or UndefinedValue),
        Is("iterable", static value => value.Iterate() is not null),
        Is("callable", static value => value.IsCallable || value is UndefinedValue),
        Is("escaped", static value => value is StringValue { IsMarkup: true }),
        Text("lower", CharacterMethods.IsLower),
        Text("upper", CharacterMethods.IsUpper),
        new("filter", static (r, value) => BooleanValue.Of(FilterTable.Find(r.Text(value)) is not null)),
        new("test", static (r, value) => BooleanValue.Of(TestTable.Find(r.Text(value)) is not null)),
    ];

    private static Builtin Is(string name, Func<Value, bool> test) => new(name, (_, value) => BooleanValue.Of(test(value)));

    private static Builtin Text(string name, Func<Rendering, StringValue, bool> test) =>
        new(name, (r, value) => BooleanValue.Of(test(r, TextFilters.Soft(r, value))));
}
