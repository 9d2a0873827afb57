using System.Globalization;
using System.Numerics;
using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Text;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Filters;

/// <summary>What filters mean by <c>attribute="a.b.0"</c>, and by ignoring case.</summary>
internal static class Lookup
{
    /// <summary>Reads a path of names and indices from a value; <paramref name="missing"/> stands for what isn't there.</summary>
    public static Func<Value, Value> Path(Rendering rendering, Value path, Value? missing = null)
    {
        if (path is StringValue text)
            rendering.Budget.TakeText(16L * text.Text.Length);
        var parts = Parts(path);
        return value =>
        {
            foreach (var part in parts)
            {
                rendering.Budget.Step();
                value = Access.Item(rendering, value, part);
                if (missing is not null && value is UndefinedValue)
                    value = missing;
            }
            return value;
        };
    }

    /// <summary>
    /// The key to sort by: a list of the values of one or more paths, or of the value itself. Lists are ordered by their
    /// first elements that differ, so that equal values without an order (None, undefined) do no harm.
    /// </summary>
    public static Func<Value, Value> Keys(Rendering rendering, Value? attribute, bool caseSensitive)
    {
        var parts = attribute is StringValue text ? text.Text.Split(',').Select(Value (part) => StringValue.Of(part)) : [attribute ?? NoneValue.Instance];
        Func<Value, Value>[] paths = [.. parts.Select(part => Path(rendering, part))];
        return value =>
        {
            rendering.Budget.TakeItems(paths.Length);
            return new ListValue(Array.ConvertAll(paths, path => Fold(rendering, path(value), caseSensitive)));
        };
    }

    /// <summary>A text in small letters, unless case counts; anything else as it is.</summary>
    public static Value Fold(Rendering rendering, Value value, bool caseSensitive) =>
        !caseSensitive && value is StringValue text ? StringValue.Of(Casing.Lower(rendering, text.Text)) : value;

    private static Value[] Parts(Value path)
    {
        if (path is not StringValue text)
            return path is NoneValue ? [] : [path];
        return Array.ConvertAll<string, Value>(text.Text.Split('.'), static part =>
            part.Length > 0 && part.AsSpan().IndexOfAnyExceptInRange('0', '9') < 0 && part.Length < 20
                ? IntegerValue.Of(BigInteger.Parse(part, CultureInfo.InvariantCulture))
                : StringValue.Of(part));
    }
}
