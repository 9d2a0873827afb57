using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Globals;

/// <summary>What <c>joiner(",")</c> gives: a call gives nothing the first time and the separator ever after.</summary>
internal sealed class JoinerValue(Value separator) : Value
{
    private bool _used;

    public override string TypeName => "Joiner";

    public override bool IsCallable => true;

    public override void WriteRepr(TextSink sink) => sink.Append("<Joiner>");

    public override Value? Attribute(Rendering rendering, string name) => name switch
    {
        "sep" => separator,
        "used" => BooleanValue.Of(_used),
        _ => null,
    };

    public override Value Call(Rendering rendering, Arguments arguments)
    {
        var result = _used ? separator : StringValue.Empty;
        _used = true;
        return result;
    }
}
