using System.Numerics;
using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Methods;

/// <summary>Members of lists, and of tuples and ranges, which share two. What would change a list is refused.</summary>
internal static class ListMethods
{
    private static readonly Dictionary<string, Builtin> Shared = Builtin.Table(
    [
        new("count", 2, ["list", "value"], static (r, a) => IntegerValue.Of(r.ToList(a[0]!).Count(item => Comparison.AreEqual(r, item, a[1]!)))),
        new("index", 2, ["list", "value", "start", "stop"], static (r, a) => Index(r, r.ToList(a[0]!), a)),
    ]);

    private static readonly Builtin Copy = new("copy", static (_, list) => list);

    public static Value? Find(ListValue list, string name) => name switch
    {
        "append" or "clear" or "extend" or "insert" or "pop" or "remove" or "reverse" or "sort" => UndefinedValue.Unsafe(list, name),
        "copy" => new FunctionValue(Copy, list),
        _ => FindOfTuple(list, name),
    };

    public static Value? FindOfTuple(Value list, string name) =>
        Shared.TryGetValue(name, out var method) ? new FunctionValue(method, list) : null;

    private static IntegerValue Index(Rendering rendering, List<Value> items, Value?[] arguments)
    {
        var from = Bound(arguments[2], 0, items.Count);
        var to = Bound(arguments[3], items.Count, items.Count);
        for (var i = from; i < to; i++)
        {
            if (Comparison.AreEqual(rendering, items[i], arguments[1]!))
                return IntegerValue.Of(i);
        }
        throw Errors.Value($"{rendering.Repr(arguments[1]!)} is not in {arguments[0]!.TypeName}");
    }

    private static int Bound(Value? value, int missing, int length)
    {
        if (value is null || !Number.TryInteger(value, out var index))
            return missing;
        return (int)BigInteger.Clamp(index.Sign < 0 ? index + length : index, 0, length);
    }
}
