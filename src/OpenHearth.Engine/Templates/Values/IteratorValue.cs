using OpenHearth.Engine.Templates.Running;

namespace OpenHearth.Engine.Templates.Values;

/// <summary>Elements that can be walked once, made as they are asked for: what <c>map</c>, <c>select</c> and the like give.</summary>
internal sealed class IteratorValue(IEnumerable<Value> items, string typeName = "generator") : Value
{
    private readonly IEnumerator<Value> _items = items.GetEnumerator();

    public override string TypeName => typeName;

    public override bool IsTrue => true;

    public override void WriteRepr(TextSink sink) => sink.Append($"<{typeName} object>");

    public override IEnumerator<Value> Iterate() => _items;
}
