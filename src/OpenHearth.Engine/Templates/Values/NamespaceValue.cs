using OpenHearth.Engine.Templates.Running;

namespace OpenHearth.Engine.Templates.Values;

/// <summary>What <c>namespace()</c> gives: the one thing whose members a template can set.</summary>
internal sealed class NamespaceValue : Value
{
    private readonly OrderedDictionary<string, Value> _members = [];

    public override string TypeName => "Namespace";

    public override string Description => "jinja2.utils.Namespace object";

    public void Set(string name, Value value) => _members[name] = value;

    public override void WriteRepr(TextSink sink)
    {
        sink.Budget.Enter();
        sink.Append("<Namespace {");
        var first = true;
        foreach (var (name, value) in _members)
        {
            if (!first)
                sink.Append(", ");
            first = false;
            sink.Budget.Step();
            Text.PythonString.WriteRepr(name, sink);
            sink.Append(": ");
            value.WriteRepr(sink);
        }
        sink.Append("}>");
        sink.Budget.Leave();
    }

    public override Value? Attribute(Rendering rendering, string name) => _members.GetValueOrDefault(name);
}
