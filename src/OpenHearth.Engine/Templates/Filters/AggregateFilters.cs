using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Filters;

/// <summary>Filters that make one value of many, or groups of them.</summary>
internal static class AggregateFilters
{
    private static readonly string[] GroupNames = ["grouper", "list"];

    public static readonly Builtin[] All =
    [
        new("sum", 1, ["iterable", "attribute", "start"], Sum),
        new("min", 1, ["value", "case_sensitive", "attribute"], static (r, a) => Extreme(r, a, largest: false)),
        new("max", 1, ["value", "case_sensitive", "attribute"], static (r, a) => Extreme(r, a, largest: true)),
        new("groupby", 2, ["value", "attribute", "default", "case_sensitive"], GroupBy),
    ];

    private static Value Sum(Rendering rendering, Value?[] arguments)
    {
        var path = Lookup.Path(rendering, arguments[1] ?? NoneValue.Instance);
        var total = arguments[2] ?? IntegerValue.Of(0);
        if (total is StringValue)
            throw Errors.Type("sum() can't sum strings [use ''.join(seq) instead]");
        foreach (var item in rendering.ToList(arguments[0]!))
            total = Arithmetic.Add(rendering, total, path(item));
        return total;
    }

    private static Value Extreme(Rendering rendering, Value?[] arguments, bool largest)
    {
        var caseSensitive = arguments[1]?.IsTrue ?? false;
        var path = Lookup.Path(rendering, arguments[2] ?? NoneValue.Instance);
        Value? best = null;
        Value? bestKey = null;
        foreach (var item in rendering.ToList(arguments[0]!))
        {
            var key = Lookup.Fold(rendering, path(item), caseSensitive);
            if (bestKey is not null && !(largest ? Comparison.IsLess(rendering, bestKey, key) : Comparison.IsLess(rendering, key, bestKey)))
                continue;
            (best, bestKey) = (item, key);
        }
        return best ?? new UndefinedValue("min", "No aggregated item, sequence was empty.");
    }

    private static ListValue GroupBy(Rendering rendering, Value?[] arguments)
    {
        var caseSensitive = arguments[3]?.IsTrue ?? false;
        var path = Lookup.Path(rendering, arguments[1]!, arguments[2] is NoneValue ? null : arguments[2]);
        Value Key(Value item) => Lookup.Fold(rendering, path(item), caseSensitive);
        var sorted = Sorting.Sort(rendering, [.. rendering.ToList(arguments[0]!)], Key, reverse: false);
        var groups = new List<Value>();
        for (var start = 0; start < sorted.Length;)
        {
            var key = Key(sorted[start]);
            var end = start + 1;
            while (end < sorted.Length && Comparison.AreEqual(rendering, Key(sorted[end]), key))
                end++;
            var members = rendering.Made([.. sorted[start..end]]);
            groups.Add(new TupleValue([caseSensitive ? key : path(sorted[start]), members], GroupNames));
            start = end;
        }
        return rendering.Made(groups);
    }
}
