using OpenHearth.Engine.Templates.Running;

namespace OpenHearth.Engine.Templates.Values;

/// <summary>
/// A value that a template can hold. The types are a closed set, none of which holds an object of the host that a
/// template could reach. All but namespaces and iterators are immutable.
/// </summary>
internal abstract class Value
{
    /// <summary>The name of the type in Python, which error messages use.</summary>
    public abstract string TypeName { get; }

    /// <summary>How the value is called where an attribute of it is missing.</summary>
    public virtual string Description => $"{TypeName} object";

    /// <summary>How deep containers nest in this value.</summary>
    public virtual int Depth => 0;

    /// <summary>Python's <c>len</c>; null where the type has none.</summary>
    public virtual int? Length => null;

    public virtual bool IsTrue => Length is not 0;

    public virtual bool IsCallable => false;

    /// <summary>False where the value can't be a key of a dictionary.</summary>
    public virtual bool IsHashable => true;

    /// <summary>Writes what Python's <c>repr</c> gives.</summary>
    public abstract void WriteRepr(TextSink sink);

    /// <summary>Writes what Python's <c>str</c> gives.</summary>
    public virtual void WriteText(TextSink sink) => WriteRepr(sink);

    /// <summary>The elements; null where the value isn't iterable.</summary>
    public virtual IEnumerator<Value>? Iterate() => null;

    /// <summary>A member of the type (a method, a property); null where there is none of that name.</summary>
    public virtual Value? Attribute(Rendering rendering, string name) => null;

    /// <summary>The element at an index or key; null where there is none.</summary>
    public virtual Value? Item(Rendering rendering, Value key) => null;

    public virtual Value Call(Rendering rendering, Arguments arguments) =>
        throw Errors.Type($"'{TypeName}' object is not callable");
}

/// <summary>Attribute and element access with Jinja's order: <c>a.b</c> looks for a member first, <c>a['b']</c> for an element.</summary>
internal static class Access
{
    public static Value Attribute(Rendering rendering, Value target, StringValue name)
    {
        if (target is UndefinedValue undefined)
            throw undefined.Failure();
        return Member(rendering, target, name.Text) ?? target.Item(rendering, name) ?? new UndefinedValue(target, name);
    }

    public static Value Item(Rendering rendering, Value target, Value key)
    {
        if (target is UndefinedValue undefined)
            throw undefined.Failure();
        return target.Item(rendering, key)
            ?? (key is StringValue name ? Member(rendering, target, name.Text) : null)
            ?? new UndefinedValue(target, key);
    }

    /// <summary>A member of the type alone, as the filter <c>attr</c> looks for it.</summary>
    public static Value? Member(Rendering rendering, Value target, string name) =>
        IsHidden(name) ? UndefinedValue.Unsafe(target, name) : target.Attribute(rendering, name);

    private static bool IsHidden(string name) =>
        name.Length > 4 && name.StartsWith("__", StringComparison.Ordinal) && name.EndsWith("__", StringComparison.Ordinal);
}
