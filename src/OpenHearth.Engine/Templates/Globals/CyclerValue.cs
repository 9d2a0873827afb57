using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Globals;

/// <summary>What <c>cycler(a, b)</c> gives: <c>next()</c> goes round its items.</summary>
internal sealed class CyclerValue : Value
{
    private readonly Value[] _items;
    private int _at;

    public CyclerValue(Value[] items) => _items = items.Length > 0 ? items : throw Errors.Value("at least one item has to be provided");

    public override string TypeName => "Cycler";

    public override void WriteRepr(TextSink sink) => sink.Append("<Cycler>");

    public override Value? Attribute(Rendering rendering, string name) => name switch
    {
        "current" => _items[_at],
        "pos" => IntegerValue.Of(_at),
        "next" => new FunctionValue(new Builtin(name, Next)),
        "reset" => new FunctionValue(new Builtin(name, Reset)),
        _ => null,
    };

    private Value Next(Rendering rendering, Arguments arguments)
    {
        var item = _items[_at];
        _at = (_at + 1) % _items.Length;
        return item;
    }

    private NoneValue Reset(Rendering rendering, Arguments arguments)
    {
        _at = 0;
        return NoneValue.Instance;
    }
}
