using OpenHearth.Engine.Templates.Methods;
using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Text;

namespace OpenHearth.Engine.Templates.Values;

/// <summary>A double.</summary>
internal sealed class FloatValue(double value) : Value
{
    public double Value => value;

    public override string TypeName => "float";

    public override bool IsTrue => value != 0;

    public override void WriteRepr(TextSink sink) => sink.Append(PythonNumber.Text(value));

    public override Value? Attribute(Rendering rendering, string name) => NumberMethods.Find(this, name);
}
