using OpenHearth.Engine.Templates.Running;

namespace OpenHearth.Engine.Templates.Values;

/// <summary>Equality, order and membership, each element charged to the budget.</summary>
internal static class Comparison
{
    public static bool AreEqual(Rendering rendering, Value a, Value b)
    {
        rendering.Budget.Step();
        switch (a, b)
        {
            case (StringValue x, StringValue y):
                rendering.Budget.Scan(x.Text.Length == y.Text.Length ? x.Text.Length : 0);
                return x.Text == y.Text;
            case (NoneValue, NoneValue) or (UndefinedValue, UndefinedValue):
                return true;
            case (ListValue x, ListValue y):
                return AreEqual(rendering, x.Items, y.Items);
            case (TupleValue x, TupleValue y):
                return AreEqual(rendering, x.Items, y.Items);
            case (DictValue x, DictValue y):
                return AreEqual(rendering, x, y);
            case (RangeValue x, RangeValue y):
                return x.Length == y.Length && (x.Length == 0 || (x.Start == y.Start && (x.Length == 1 || x.Step == y.Step)));
            case (DictViewValue { IsKeys: true } x, DictViewValue { IsKeys: true } y):
                return x.Length == y.Length && x.Dict.Items.Keys.All(y.Dict.Items.ContainsKey);
        }
        return Number.TryRead(a, out var left) && Number.TryRead(b, out var right) ? left == right : ReferenceEquals(a, b);
    }

    /// <summary>Negative, zero or positive as Python's <c>&lt;</c> orders two values; null where a NaN has no order.</summary>
    public static int? Order(Rendering rendering, Value a, Value b, string sign)
    {
        rendering.Budget.Step();
        if (a is UndefinedValue left)
            throw left.Failure();
        if (b is UndefinedValue right)
            throw right.Failure();
        if (a is StringValue x && b is StringValue y)
        {
            rendering.Budget.Scan(Math.Min(x.Text.Length, y.Text.Length));
            return Text.CodePoints.Compare(x.Text, y.Text);
        }
        if (Number.TryRead(a, out var first) && Number.TryRead(b, out var second))
            return Number.Compare(first, second);
        return (a, b) switch
        {
            (ListValue p, ListValue q) => Order(rendering, p.Items, q.Items, sign),
            (TupleValue p, TupleValue q) => Order(rendering, p.Items, q.Items, sign),
            _ => throw Errors.Type($"'{sign}' not supported between instances of '{a.TypeName}' and '{b.TypeName}'"),
        };
    }

    public static bool IsLess(Rendering rendering, Value a, Value b) => Order(rendering, a, b, "<") < 0;

    /// <summary>Python's <c>in</c>.</summary>
    public static bool Contains(Rendering rendering, Value container, Value item)
    {
        switch (container)
        {
            case StringValue text when item is StringValue part:
                rendering.Budget.Search(text.Text.Length, part.Text.Length);
                return text.Text.Contains(part.Text, StringComparison.Ordinal);
            case StringValue:
                throw Errors.Type($"'in <string>' requires string as left operand, not {item.TypeName}");
            case DictValue dict:
                return ContainsKey(dict, item);
            case DictViewValue { IsKeys: true } keys:
                return ContainsKey(keys.Dict, item);
            case RangeValue range:
                return Number.TryRead(item, out var number) && number.AsInteger is { } index && range.Contains(index);
        }
        var items = container.Iterate() ?? throw Errors.Type($"argument of type '{container.TypeName}' is not iterable");
        while (rendering.Advance(items))
        {
            if (ReferenceEquals(items.Current, item) || AreEqual(rendering, items.Current, item))
                return true;
        }
        return false;
    }

    private static bool ContainsKey(DictValue dict, Value key) => key.IsHashable
        ? dict.Items.ContainsKey(key)
        : throw Errors.Type($"unhashable type: '{key.TypeName}'");

    private static bool AreEqual(Rendering rendering, Value[] a, Value[] b)
    {
        if (a.Length != b.Length)
            return false;
        for (var i = 0; i < a.Length; i++)
        {
            if (!ReferenceEquals(a[i], b[i]) && !AreEqual(rendering, a[i], b[i]))
                return false;
        }
        return true;
    }

    private static bool AreEqual(Rendering rendering, DictValue a, DictValue b)
    {
        if (a.Items.Count != b.Items.Count)
            return false;
        foreach (var (key, value) in a.Items)
        {
            if (!b.Items.TryGetValue(key, out var other) || !(ReferenceEquals(value, other) || AreEqual(rendering, value, other)))
                return false;
        }
        return true;
    }

    private static int? Order(Rendering rendering, Value[] a, Value[] b, string sign)
    {
        for (var i = 0; i < a.Length && i < b.Length; i++)
        {
            if (!AreEqual(rendering, a[i], b[i]))
                return Order(rendering, a[i], b[i], sign);
        }
        return a.Length.CompareTo(b.Length);
    }
}
