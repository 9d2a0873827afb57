using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Running;

/// <summary>
/// A filter, test, method or global function. For a filter or test the first value is the piped one, for a method the
/// object it belongs to.
/// </summary>
internal sealed class Builtin
{
    private readonly Func<Rendering, Arguments, Value> _body;

    /// <summary>A function that binds its arguments itself.</summary>
    public Builtin(string name, Func<Rendering, Arguments, Value> body)
    {
        Name = name;
        _body = body;
    }

    /// <summary>A function with named parameters, the first <paramref name="required"/> of which must be given.</summary>
    public Builtin(string name, int required, string[] parameters, Func<Rendering, Value?[], Value> body)
        : this(name, (rendering, arguments) => body(rendering, arguments.Bind(name, parameters, required)))
    {
    }

    /// <summary>A function of one value.</summary>
    public Builtin(string name, Func<Rendering, Value, Value> body)
        : this(name, (rendering, arguments) => body(rendering, arguments.Bind(name, ["value"], 1)[0]!))
    {
    }

    public string Name { get; }

    public Value Call(Rendering rendering, Arguments arguments)
    {
        rendering.Budget.Step();
        return _body(rendering, arguments);
    }

    /// <summary>A table of functions by name.</summary>
    public static Dictionary<string, Builtin> Table(Builtin[] family) => Merge(family);

    /// <summary>A table of the functions of several families by name.</summary>
    public static Dictionary<string, Builtin> Merge(params ReadOnlySpan<Builtin[]> families)
    {
        var table = new Dictionary<string, Builtin>();
        foreach (var family in families)
        {
            foreach (var builtin in family)
                table[builtin.Name] = builtin;
        }
        return table;
    }
}
