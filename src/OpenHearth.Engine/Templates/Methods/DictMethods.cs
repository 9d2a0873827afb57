using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Methods;

/// <summary>Members of dictionaries. What would change one is refused.</summary>
internal static class DictMethods
{
    private static readonly Dictionary<string, Builtin> Methods = Builtin.Table(
    [
        new("get", 2, ["dict", "key", "default"], static (_, a) => Get((DictValue)a[0]!, a[1]!) ?? a[2] ?? NoneValue.Instance),
        new("items", static (_, dict) => new DictViewValue((DictValue)dict, "items")),
        new("keys", static (_, dict) => new DictViewValue((DictValue)dict, "keys")),
        new("values", static (_, dict) => new DictViewValue((DictValue)dict, "values")),
        new("copy", static (_, dict) => dict),
        new("fromkeys", 2, ["dict", "keys", "value"], static (r, a) => FromKeys(r, a[1]!, a[2] ?? NoneValue.Instance)),
    ]);

    public static Value? Find(DictValue dict, string name)
    {
        if (name is "clear" or "pop" or "popitem" or "setdefault" or "update")
            return UndefinedValue.Unsafe(dict, name);
        return Methods.TryGetValue(name, out var method) ? new FunctionValue(method, dict) : null;
    }

    private static Value? Get(DictValue dict, Value key) => key.IsHashable
        ? dict.Find(key)
        : throw Errors.Type($"unhashable type: '{key.TypeName}'");

    private static DictValue FromKeys(Rendering rendering, Value keys, Value value)
    {
        var dict = new DictValue();
        foreach (var key in rendering.ToList(keys))
        {
            rendering.Budget.TakeItems(1);
            dict.Set(key, value);
        }
        return dict;
    }
}
