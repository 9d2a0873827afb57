using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Syntax;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Tests;

/// <summary>Tests that compare a value with another.</summary>
internal static class ComparisonTests
{
    private static readonly string[] Parameters = ["value", "other"];

    public static readonly Builtin[] All =
    [
        Compare("==", "=="), Compare("eq", "=="), Compare("equalto", "=="),
        Compare("!=", "!="), Compare("ne", "!="),
        Compare(">", ">"), Compare("gt", ">"), Compare("greaterthan", ">"),
        Compare(">=", ">="), Compare("ge", ">="),
        Compare("<", "<"), Compare("lt", "<"), Compare("lessthan", "<"),
        Compare("<=", "<="), Compare("le", "<="),
        Compare("in", "in"),
        new("sameas", 2, Parameters, static (_, a) => BooleanValue.Of(IsSame(a[0]!, a[1]!))),
    ];

    private static Builtin Compare(string name, string sign) =>
        new(name, 2, Parameters, (r, a) => BooleanValue.Of(ComparisonExpression.Holds(r, sign, a[0]!, a[1]!)));

    /// <summary>The same object; equal texts and integers count as the same, for Python keeps most of them once.</summary>
    private static bool IsSame(Value a, Value b) => (a, b) switch
    {
        (StringValue x, StringValue y) => x.Text == y.Text && x.IsMarkup == y.IsMarkup,
        (IntegerValue x, IntegerValue y) => x.Value == y.Value,
        (TupleValue { Items.Length: 0 }, TupleValue { Items.Length: 0 }) => true,
        _ => ReferenceEquals(a, b),
    };
}
