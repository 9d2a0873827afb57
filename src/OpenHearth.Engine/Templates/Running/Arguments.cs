using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Running;

/// <summary>What a call passes: values by position, then values by name.</summary>
internal sealed class Arguments(Value[] positional, KeyValuePair<string, Value>[] named)
{
    public static readonly Arguments None = new([], []);

    public Value[] Positional => positional;

    public KeyValuePair<string, Value>[] Named => named;

    public Value? Find(string name)
    {
        foreach (var (key, value) in named)
        {
            if (key == name)
                return value;
        }
        return null;
    }

    /// <summary>The same with a value before the others: the piped value of a filter, the object of a method.</summary>
    public Arguments Prepend(Value first) => new([first, .. positional], named);

    /// <summary>The same without the first values.</summary>
    public Arguments Skip(int count) => new(positional[Math.Min(count, positional.Length)..], named);

    /// <summary>The values in the order of a function's parameters; null where a value isn't given.</summary>
    public Value?[] Bind(string function, string[] parameters, int required)
    {
        if (positional.Length > parameters.Length)
            throw Errors.Type($"{function}() takes {parameters.Length} arguments but {positional.Length} were given");
        var bound = new Value?[parameters.Length];
        positional.CopyTo(bound, 0);
        foreach (var (name, value) in named)
        {
            var index = Array.IndexOf(parameters, name);
            if (index < 0)
                throw Errors.Type($"{function}() got an unexpected keyword argument '{name}'");
            if (bound[index] is not null)
                throw Errors.Type($"{function}() got multiple values for argument '{name}'");
            bound[index] = value;
        }
        for (var i = 0; i < required; i++)
        {
            if (bound[i] is null)
                throw Errors.Type($"{function}() missing required argument '{parameters[i]}'");
        }
        return bound;
    }
}
