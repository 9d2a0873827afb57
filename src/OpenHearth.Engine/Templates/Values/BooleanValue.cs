using OpenHearth.Engine.Templates.Methods;
using OpenHearth.Engine.Templates.Running;

namespace OpenHearth.Engine.Templates.Values;

/// <summary>True or false; counts as 1 or 0 in arithmetic.</summary>
internal sealed class BooleanValue : Value
{
    public static readonly BooleanValue True = new(true);
    public static readonly BooleanValue False = new(false);

    private BooleanValue(bool value) => IsTrue = value;

    public override string TypeName => "bool";

    public override bool IsTrue { get; }

    public static BooleanValue Of(bool value) => value ? True : False;

    public override void WriteRepr(TextSink sink) => sink.Append(IsTrue ? "True" : "False");

    public override Value? Attribute(Rendering rendering, string name) => NumberMethods.Find(this, name);
}
