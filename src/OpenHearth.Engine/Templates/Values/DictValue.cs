using OpenHearth.Engine.Templates.Methods;
using OpenHearth.Engine.Templates.Running;

namespace OpenHearth.Engine.Templates.Values;

/// <summary>A dictionary that keeps the order of its keys. It is filled by its maker and never changed afterwards.</summary>
internal sealed class DictValue : Value
{
    private readonly OrderedDictionary<Value, Value> _items;
    private int _depth = 1;

    public DictValue(int capacity = 0) => _items = new(capacity, KeyComparer.Instance);

    public OrderedDictionary<Value, Value> Items => _items;

    public override string TypeName => "dict";

    public override int Depth => _depth;

    public override int? Length => _items.Count;

    public override bool IsHashable => false;

    /// <summary>Adds or replaces an entry; only the maker of the dictionary may call this.</summary>
    public void Set(Value key, Value value)
    {
        if (!key.IsHashable)
            throw Errors.Type($"unhashable type: '{key.TypeName}'");
        _items[key] = value;
        _depth = Sequence.CheckDepth(Math.Max(_depth, 1 + Math.Max(key.Depth, value.Depth)));
    }

    public Value? Find(Value key) => key.IsHashable ? _items.GetValueOrDefault(key) : null;

    public Value? Find(string key) => _items.GetValueOrDefault(StringValue.Of(key));

    public override void WriteRepr(TextSink sink)
    {
        sink.Append('{');
        var first = true;
        foreach (var (key, value) in _items)
        {
            if (!first)
                sink.Append(", ");
            first = false;
            sink.Budget.Step();
            key.WriteRepr(sink);
            sink.Append(": ");
            value.WriteRepr(sink);
        }
        sink.Append('}');
    }

    public override IEnumerator<Value> Iterate() => _items.Keys.GetEnumerator();

    public override Value? Attribute(Rendering rendering, string name) => DictMethods.Find(this, name);

    public override Value? Item(Rendering rendering, Value key) => Find(key);
}

/// <summary>What <c>keys()</c>, <c>values()</c> and <c>items()</c> give.</summary>
internal sealed class DictViewValue(DictValue dict, string name) : Value
{
    public override string TypeName => "dict_" + name;

    public override int Depth => dict.Depth + 1;

    public override int? Length => dict.Length;

    public DictValue Dict => dict;

    public bool IsKeys => name == "keys";

    public override void WriteRepr(TextSink sink)
    {
        sink.Append(TypeName);
        sink.Append("([");
        var first = true;
        for (var items = Iterate(); items.MoveNext(); first = false)
        {
            if (!first)
                sink.Append(", ");
            sink.Budget.Step();
            items.Current.WriteRepr(sink);
        }
        sink.Append("])");
    }

    public override IEnumerator<Value> Iterate() => name switch
    {
        "keys" => dict.Items.Keys.GetEnumerator(),
        "values" => dict.Items.Values.GetEnumerator(),
        _ => Pairs(),
    };

    private IEnumerator<Value> Pairs()
    {
        foreach (var (key, value) in dict.Items)
            yield return new TupleValue([key, value]);
    }
}
