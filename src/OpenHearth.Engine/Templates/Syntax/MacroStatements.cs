using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Syntax;

/// <summary>A parameter of a macro; without a default it is undefined where it isn't given.</summary>
internal sealed record Parameter(string Name, Expression? Default);

/// <summary>What a macro or the block of a call consists of; the flags say which special names its body uses.</summary>
internal sealed record MacroDefinition(
    string? Name, Parameter[] Parameters, ScopedBody Body, bool UsesCaller, bool UsesKwargs, bool UsesVarargs)
{
    /// <summary>Sets the parameters in the macro's scope.</summary>
    public void Bind(Frame frame, Arguments arguments)
    {
        List<KeyValuePair<string, Value>> named = [.. arguments.Named];
        var values = new Value?[Parameters.Length];
        var hasCaller = arguments.Positional.Length >= Parameters.Length && Array.Exists(Parameters, static p => p.Name == "caller");
        for (var i = 0; i < Parameters.Length; i++)
        {
            if (i < arguments.Positional.Length)
            {
                values[i] = arguments.Positional[i];
                continue;
            }
            values[i] = TakeNamed(named, Parameters[i].Name);
            hasCaller |= Parameters[i].Name == "caller";
        }
        if (UsesCaller && !hasCaller)
            frame.Scope.Set("caller", TakeNamed(named, "caller") ?? new UndefinedValue("caller", "No caller defined"));
        if (UsesKwargs)
            frame.Scope.Set("kwargs", ToDict(frame, named));
        else if (named.Count > 0)
            throw UnexpectedName(named);
        var extra = arguments.Skip(Parameters.Length).Positional;
        if (UsesVarargs)
            frame.Scope.Set("varargs", new TupleValue(extra));
        else if (extra.Length > 0)
            throw Errors.Type($"macro {DisplayName} takes not more than {Parameters.Length} argument(s)");
        for (var i = 0; i < values.Length; i++)
        {
            var (name, fallback) = Parameters[i];
            frame.Scope.Set(name, values[i] ?? fallback?.Evaluate(frame) ?? new UndefinedValue(name, $"parameter '{name}' was not provided"));
        }
    }

    private string DisplayName => Name is null ? "None" : $"'{Name}'";

    private static Value? TakeNamed(List<KeyValuePair<string, Value>> named, string name)
    {
        var index = named.FindIndex(entry => entry.Key == name);
        if (index < 0)
            return null;
        var value = named[index].Value;
        named.RemoveAt(index);
        return value;
    }

    private static DictValue ToDict(Frame frame, List<KeyValuePair<string, Value>> named)
    {
        frame.Budget.TakeItems(named.Count);
        var dict = new DictValue(named.Count);
        foreach (var (name, value) in named)
            dict.Set(StringValue.Of(name), value);
        return dict;
    }

    private TemplateException UnexpectedName(List<KeyValuePair<string, Value>> named) => Errors.Type(
        named.Exists(static entry => entry.Key == "caller")
            ? $"macro {DisplayName} was invoked with two values for the special caller argument. This is most likely a bug."
            : $"macro {DisplayName} takes no keyword argument '{named[0].Key}'");
}

internal sealed class MacroStatement(MacroDefinition definition, int line) : Statement(line)
{
    protected override Flow Execute(Frame frame)
    {
        frame.Scope.Capture();
        frame.Scope.Set(definition.Name!, new MacroValue(definition, frame.Scope));
        return Flow.Next;
    }
}

/// <summary><c>{% call macro(…) %}</c>: the macro gets the block as <c>caller</c>.</summary>
internal sealed class CallStatement(CallExpression call, MacroDefinition block, int line) : Statement(line)
{
    protected override Flow Execute(Frame frame)
    {
        frame.Scope.Capture();
        var caller = new MacroValue(block, frame.Scope);
        PrintStatement.Write(frame, call.Call(frame, new("caller", caller)));
        return Flow.Next;
    }
}
