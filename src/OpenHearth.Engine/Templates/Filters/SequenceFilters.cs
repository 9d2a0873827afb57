using OpenHearth.Engine.Templates.Methods;
using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Text;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Filters;

/// <summary>Filters that take a sequence apart or make another of it.</summary>
internal static class SequenceFilters
{
    public static readonly Builtin[] All =
    [
        new("length", Length),
        new("count", Length),
        new("list", static (r, value) => r.Made(r.ToList(value))),
        new("first", static (r, value) => Rendering.Iterate(value) is var items && r.Advance(items)
            ? items.Current : new UndefinedValue("first", "No first item, sequence was empty.")),
        new("last", static (r, value) => Reversed(r, value).FirstOrDefault() ?? new UndefinedValue("last", "No last item, sequence was empty.")),
        new("reverse", Reverse),
        new("join", 1, ["value", "d", "attribute"], Join),
        new("items", static (_, value) => new IteratorValue(Items(value))),
        new("dictsort", 1, ["value", "case_sensitive", "by", "reverse"], DictSort),
        new("sort", 1, ["value", "reverse", "case_sensitive", "attribute"], static (r, a) => r.Made([.. Sorting.Sort(
            r, [.. r.ToList(a[0]!)], Lookup.Keys(r, a[3], a[2]?.IsTrue ?? false), a[1]?.IsTrue ?? false)])),
        new("batch", 2, ["value", "linecount", "fill_with"], static (r, a) => new IteratorValue(Batch(r, a))),
        new("slice", 2, ["value", "slices", "fill_with"], static (r, a) => new IteratorValue(Slices(r, a))),
        new("default", 1, ["value", "default_value", "boolean"], Default),
        new("d", 1, ["value", "default_value", "boolean"], Default),
        new("attr", 2, ["obj", "name"], static (r, a) => a[0] is UndefinedValue undefined
            ? throw undefined.Failure()
            : Access.Member(r, a[0]!, r.Text(a[1]!)) ?? new UndefinedValue(a[0]!, TextFilters.Soft(r, a[1]!))),
    ];

    private static IntegerValue Length(Rendering rendering, Value value) => value.Length is { } length
        ? IntegerValue.Of(length)
        : throw Errors.Type($"object of type '{value.TypeName}' has no len()");

    private static Value Default(Rendering rendering, Value?[] arguments)
    {
        var useDefault = arguments[0] is UndefinedValue || ((arguments[2]?.IsTrue ?? false) && !arguments[0]!.IsTrue);
        return useDefault ? arguments[1] ?? StringValue.Empty : arguments[0]!;
    }

    /// <summary>Pairs of key and value; what has none fails only when the first is asked for.</summary>
    private static IEnumerable<Value> Items(Value value)
    {
        if (value is UndefinedValue)
            yield break;
        if (value is not DictValue dict)
            throw Errors.Type("Can only get item pairs from a mapping.");
        foreach (var (key, item) in dict.Items)
            yield return new TupleValue([key, item]);
    }

    private static IEnumerable<Value> Reversed(Rendering rendering, Value value)
    {
        if (value is not (ListValue or TupleValue or DictValue or DictViewValue or RangeValue or StringValue or UndefinedValue))
            throw Errors.Type($"'{value.TypeName}' object is not reversible");
        var items = rendering.ToList(value);
        items.Reverse();
        return items;
    }

    private static Value Reverse(Rendering rendering, Value value)
    {
        if (value is StringValue text)
            return Sequence.Slice(rendering, text, null, null, IntegerValue.Of(-1));
        if (value is IteratorValue)
        {
            var items = rendering.ToList(value);
            items.Reverse();
            return rendering.Made(items);
        }
        return value is ListValue or TupleValue or DictValue or DictViewValue or RangeValue or UndefinedValue
            ? new IteratorValue(Reversed(rendering, value), value is ListValue ? "list_reverseiterator" : "reversed")
            : throw Errors.Type("argument must be iterable");
    }

    private static StringValue Join(Rendering rendering, Value?[] arguments)
    {
        var separator = arguments[1] is null ? StringValue.Empty : TextFilters.Soft(rendering, arguments[1]!);
        var key = arguments[2] is null or NoneValue ? null : Lookup.Path(rendering, arguments[2]!);
        var values = rendering.ToList(arguments[0]!);
        if (key is not null)
            values = values.ConvertAll(value => key(value));
        var markup = rendering.Autoescape && (separator.IsMarkup || values.Exists(static value => value is StringValue { IsMarkup: true }));
        var sink = new TextSink(rendering.Budget);
        for (var i = 0; i < values.Count; i++)
        {
            if (i > 0)
                sink.Append(markup ? Html.Escape(rendering, separator).Text : separator.Text);
            if (markup)
                sink.Append(Html.Escape(rendering, values[i]).Text);
            else
                values[i].WriteText(sink);
        }
        return StringValue.Of(sink.Take(), markup);
    }

    private static ListValue DictSort(Rendering rendering, Value?[] arguments)
    {
        if (arguments[0] is UndefinedValue undefined)
            throw undefined.Failure();
        if (arguments[0] is not DictValue dict)
            throw Errors.Undefined($"'{arguments[0]!.Description}' has no attribute 'items'");
        var position = arguments[2] is null ? 0 : rendering.Text(arguments[2]!) switch
        {
            "key" => 0,
            "value" => 1,
            _ => throw Errors.Value("You can only sort by either \"key\" or \"value\""),
        };
        var caseSensitive = arguments[1]?.IsTrue ?? false;
        Value[] pairs = [.. rendering.ToList(new DictViewValue(dict, "items"))];
        return rendering.Made([.. Sorting.Sort(
            rendering, pairs, pair => Lookup.Fold(rendering, ((TupleValue)pair).Items[position], caseSensitive), arguments[3]?.IsTrue ?? false)]);
    }

    private static IEnumerable<Value> Batch(Rendering rendering, Value?[] arguments)
    {
        var size = StringMethods.Integer(arguments[1], 1);
        var row = new List<Value>();
        for (var items = Rendering.Iterate(arguments[0]!); rendering.Advance(items);)
        {
            if (row.Count == size)
            {
                yield return rendering.Made(row);
                row = [];
            }
            row.Add(items.Current);
        }
        if (row.Count == 0)
            yield break;
        if (arguments[2] is not (null or NoneValue) && row.Count < size)
        {
            rendering.Budget.TakeItems(size - (long)row.Count);
            row.AddRange(Enumerable.Repeat(arguments[2]!, size - row.Count));
        }
        yield return rendering.Made(row);
    }

    private static IEnumerable<Value> Slices(Rendering rendering, Value?[] arguments)
    {
        var items = rendering.ToList(arguments[0]!);
        var count = StringMethods.Integer(arguments[1], 1);
        if (count == 0)
            throw Errors.Value("integer division or modulo by zero");
        var (size, extra) = ((int)Math.Floor((double)items.Count / count), items.Count - ((int)Math.Floor((double)items.Count / count) * count));
        var start = 0;
        for (var i = 0; i < count; i++)
        {
            rendering.Budget.Step();
            var length = size + (i < extra ? 1 : 0);
            var part = items.GetRange(start, length);
            start += length;
            if (arguments[2] is not (null or NoneValue) && i >= extra)
                part.Add(arguments[2]!);
            yield return rendering.Made(part);
        }
    }
}
