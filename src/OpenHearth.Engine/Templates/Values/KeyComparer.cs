using System.Runtime.CompilerServices;

namespace OpenHearth.Engine.Templates.Values;

/// <summary>Equality of dictionary keys: 1, 1.0 and true are the same key, as in Python. Hashes are seeded by the process.</summary>
internal sealed class KeyComparer : IEqualityComparer<Value>
{
    public static readonly KeyComparer Instance = new();

    public bool Equals(Value? x, Value? y) => (x, y) switch
    {
        (StringValue a, StringValue b) => a.Text == b.Text,
        (NoneValue, NoneValue) or (UndefinedValue, UndefinedValue) => true,
        (TupleValue a, TupleValue b) => EqualTuples(a, b),
        ({ } a, { } b) when Number.TryRead(a, out var left) && Number.TryRead(b, out var right) => left == right,
        _ => ReferenceEquals(x, y),
    };

    public int GetHashCode(Value value)
    {
        switch (value)
        {
            case StringValue text:
                return text.Text.GetHashCode(StringComparison.Ordinal);
            case TupleValue tuple:
                return tuple.Hash;
            case NoneValue or UndefinedValue:
                return 0;
        }
        if (!Number.TryRead(value, out var number))
            return RuntimeHelpers.GetHashCode(value);
        return number.AsInteger is { } integer
            ? HashCode.Combine(integer.GetHashCode(), (long)(integer & long.MaxValue))
            : HashCode.Combine(number.AsDouble);
    }

    /// <summary>Compares by the cached hashes first, so that equal-looking tuples of tuples aren't walked for nothing.</summary>
    private bool EqualTuples(TupleValue a, TupleValue b)
    {
        if (ReferenceEquals(a, b))
            return true;
        if (a.Items.Length != b.Items.Length || a.Hash != b.Hash)
            return false;
        for (var i = 0; i < a.Items.Length; i++)
        {
            if (!Equals(a.Items[i], b.Items[i]))
                return false;
        }
        return true;
    }
}
