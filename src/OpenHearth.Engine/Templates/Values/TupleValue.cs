using OpenHearth.Engine.Templates.Methods;
using OpenHearth.Engine.Templates.Running;

namespace OpenHearth.Engine.Templates.Values;

/// <summary>A tuple; with names for its elements it is what <c>groupby</c> gives. The array is owned by the value.</summary>
internal sealed class TupleValue(Value[] items, string[]? names = null) : Value
{
    /// <summary>The largest tuple that can be a key, counted with the tuples in it.</summary>
    private const int MaxKeySize = 1000;

    private readonly int _size = SizeOf(items);
    private int? _hash;

    public Value[] Items => items;

    public override string TypeName => "tuple";

    public override int Depth { get; } = Sequence.DepthOf(items);

    public override int? Length => items.Length;

    public override bool IsHashable { get; } = Array.TrueForAll(items, static item => item.IsHashable);

    /// <summary>A hash that is computed once, so that a tuple of tuples stays cheap.</summary>
    public int Hash => _hash ??= ComputeHash();

    public override void WriteRepr(TextSink sink)
    {
        sink.Append('(');
        ListValue.WriteItems(sink, items);
        sink.Append(items.Length == 1 ? ",)" : ")");
    }

    public override IEnumerator<Value> Iterate() => ((IEnumerable<Value>)items).GetEnumerator();

    public override Value? Attribute(Rendering rendering, string name)
    {
        var index = names is null ? -1 : Array.IndexOf(names, name);
        return index >= 0 ? items[index] : ListMethods.FindOfTuple(this, name);
    }

    public override Value? Item(Rendering rendering, Value key) =>
        Sequence.TryIndex(key, items.Length, out var index) ? items[index] : null;

    /// <summary>Elements counted with those of the tuples among them, up to a bound.</summary>
    private static int SizeOf(Value[] items)
    {
        var size = items.Length;
        foreach (var item in items)
            size = Math.Min(MaxKeySize + 1, size + (item is TupleValue inner ? inner._size : 0));
        return size;
    }

    private int ComputeHash()
    {
        if (_size > MaxKeySize)
            throw Errors.Limit($"a dictionary key of more than {MaxKeySize} elements");
        var hash = new HashCode();
        foreach (var item in items)
            hash.Add(KeyComparer.Instance.GetHashCode(item));
        return hash.ToHashCode();
    }
}
