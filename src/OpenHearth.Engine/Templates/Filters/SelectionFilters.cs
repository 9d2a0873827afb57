using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Tests;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Filters;

/// <summary>Filters that pick or change elements one by one, when they are asked for.</summary>
internal static class SelectionFilters
{
    public static readonly Builtin[] All =
    [
        new("map", Map),
        new("select", static (r, a) => Select(r, a, byAttribute: false, wanted: true)),
        new("reject", static (r, a) => Select(r, a, byAttribute: false, wanted: false)),
        new("selectattr", static (r, a) => Select(r, a, byAttribute: true, wanted: true)),
        new("rejectattr", static (r, a) => Select(r, a, byAttribute: true, wanted: false)),
        new("unique", 1, ["value", "case_sensitive", "attribute"], static (r, a) => new IteratorValue(Unique(r, a))),
    ];

    private static IteratorValue Map(Rendering rendering, Arguments arguments)
    {
        if (arguments.Positional.Length == 1 && arguments.Find("attribute") is { } attribute)
        {
            foreach (var (name, _) in arguments.Named)
            {
                if (name is not ("attribute" or "default"))
                    throw Errors.Type($"Unexpected keyword argument '{name}'");
            }
            var path = Lookup.Path(rendering, attribute, arguments.Find("default") is { } missing and not NoneValue ? missing : null);
            return new(Lazily(rendering, arguments.Positional[0], path));
        }
        if (arguments.Positional.Length < 2)
            throw Errors.Type("map requires a filter argument");
        var filterName = rendering.Text(arguments.Positional[1]);
        var filter = FilterTable.Find(filterName) ?? throw Errors.Value($"No filter named '{filterName}'.");
        var rest = arguments.Skip(2);
        return new(Lazily(rendering, arguments.Positional[0], item => filter.Call(rendering, rest.Prepend(item))));
    }

    private static IEnumerable<Value> Lazily(Rendering rendering, Value source, Func<Value, Value> map)
    {
        if (!source.IsTrue)
            yield break;
        for (var items = Rendering.Iterate(source); rendering.Advance(items);)
        {
            yield return map(items.Current);
        }
    }

    private static IteratorValue Select(Rendering rendering, Arguments arguments, bool byAttribute, bool wanted)
    {
        if (arguments.Positional.Length == 0)
            throw Errors.Type("missing the value to select from");
        var rest = arguments.Skip(1);
        Func<Value, Value>? path = null;
        if (byAttribute)
        {
            if (rest.Positional.Length == 0)
                throw Errors.Type("Missing parameter for attribute name");
            path = Lookup.Path(rendering, rest.Positional[0]);
            rest = rest.Skip(1);
        }
        Builtin? test = null;
        if (rest.Positional.Length > 0)
        {
            var name = rendering.Text(rest.Positional[0]);
            test = TestTable.Find(name) ?? throw Errors.Value($"No test named '{name}'.");
            rest = rest.Skip(1);
        }
        return new(Pick(rendering, arguments.Positional[0], item =>
        {
            var value = path is null ? item : path(item);
            return (test is null ? value : test.Call(rendering, rest.Prepend(value))).IsTrue == wanted;
        }));
    }

    private static IEnumerable<Value> Pick(Rendering rendering, Value source, Func<Value, bool> test)
    {
        if (!source.IsTrue)
            yield break;
        for (var items = Rendering.Iterate(source); rendering.Advance(items);)
        {
            if (test(items.Current))
                yield return items.Current;
        }
    }

    private static IEnumerable<Value> Unique(Rendering rendering, Value?[] arguments)
    {
        var caseSensitive = arguments[1]?.IsTrue ?? false;
        var path = Lookup.Path(rendering, arguments[2] ?? NoneValue.Instance);
        var seen = new HashSet<Value>(KeyComparer.Instance);
        for (var items = Rendering.Iterate(arguments[0]!); rendering.Advance(items);)
        {
            rendering.Budget.TakeItems(1);
            var key = Lookup.Fold(rendering, path(items.Current), caseSensitive);
            if (!key.IsHashable)
                throw Errors.Type($"unhashable type: '{key.TypeName}'");
            if (seen.Add(key))
                yield return items.Current;
        }
    }
}
