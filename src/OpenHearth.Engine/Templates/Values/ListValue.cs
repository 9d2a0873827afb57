using OpenHearth.Engine.Templates.Methods;
using OpenHearth.Engine.Templates.Running;

namespace OpenHearth.Engine.Templates.Values;

/// <summary>A list. The array is owned by the value.</summary>
internal sealed class ListValue(Value[] items) : Value
{
    public Value[] Items => items;

    public override string TypeName => "list";

    public override int Depth { get; } = Sequence.DepthOf(items);

    public override int? Length => items.Length;

    public override bool IsHashable => false;

    public override void WriteRepr(TextSink sink)
    {
        sink.Append('[');
        WriteItems(sink, items);
        sink.Append(']');
    }

    public override IEnumerator<Value> Iterate() => ((IEnumerable<Value>)items).GetEnumerator();

    public override Value? Attribute(Rendering rendering, string name) => ListMethods.Find(this, name);

    public override Value? Item(Rendering rendering, Value key) =>
        Sequence.TryIndex(key, items.Length, out var index) ? items[index] : null;

    /// <summary>Writes values with commas between them.</summary>
    public static void WriteItems(TextSink sink, Value[] items)
    {
        for (var i = 0; i < items.Length; i++)
        {
            if (i > 0)
                sink.Append(", ");
            sink.Budget.Step();
            items[i].WriteRepr(sink);
        }
    }
}
