using System.Numerics;
using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Methods;

/// <summary>Members of texts; each family has its file.</summary>
internal static class StringMethods
{
    private static readonly Dictionary<string, Builtin> Methods = Builtin.Merge(
        CaseMethods.All, SearchMethods.All, SplitMethods.All, PaddingMethods.All, CharacterMethods.All, FormatMethods.All);

    public static Value? Find(StringValue text, string name) =>
        Methods.TryGetValue(name, out var method) ? new FunctionValue(method, text) : null;

    /// <summary>A text argument of a method.</summary>
    public static string Text(Value value, string method) => value switch
    {
        StringValue text => text.Text,
        UndefinedValue undefined => throw undefined.Failure(),
        _ => throw Errors.Type($"{method}() argument must be str, not {value.TypeName}"),
    };

    /// <summary>An integer argument of a method, clamped to what an index can be.</summary>
    public static int Integer(Value? value, int missing)
    {
        if (value is null)
            return missing;
        if (value is UndefinedValue undefined)
            throw undefined.Failure();
        return Number.TryInteger(value, out var integer)
            ? (int)BigInteger.Clamp(integer, int.MinValue, int.MaxValue)
            : throw Errors.Type($"'{value.TypeName}' object cannot be interpreted as an integer");
    }

    /// <summary>The piece of a text between two indices of code points, as UTF-16 offsets; the start may lie behind the end.</summary>
    public static (int Start, int End) Range(StringValue text, Value? start, Value? stop)
    {
        var length = text.Length!.Value;
        var (from, to) = (Index(start, 0), Math.Min(Index(stop, length), length));
        if (text.IsFlat || from > length)
            return (from, to);
        return (OffsetOf(text, from), OffsetOf(text, to));

        int Index(Value? value, int missing)
        {
            if (value is null or NoneValue)
                return missing;
            var index = Integer(value, missing);
            return index < 0 ? Math.Max(index + length, 0) : index;
        }
    }

    private static int OffsetOf(StringValue text, int index) => Templates.Text.CodePoints.OffsetOf(text.Text, index);
}
