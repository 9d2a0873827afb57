using OpenHearth.Engine.Templates.Running;

namespace OpenHearth.Engine.Templates.Values;

/// <summary>Python's <c>None</c>, JSON's null.</summary>
internal sealed class NoneValue : Value
{
    public static readonly NoneValue Instance = new();

    private NoneValue()
    {
    }

    public override string TypeName => "NoneType";

    public override string Description => "None";

    public override bool IsTrue => false;

    public override void WriteRepr(TextSink sink) => sink.Append("None");
}
