using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Syntax;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Globals;

/// <summary>The variable <c>self</c>: the blocks of the template as functions.</summary>
internal sealed class SelfValue : Value
{
    public override string TypeName => "TemplateReference";

    public override string Description => "jinja2.runtime.TemplateReference object";

    public override void WriteRepr(TextSink sink) => sink.Append("<TemplateReference None>");

    public override Value? Attribute(Rendering rendering, string name) =>
        name.StartsWith('_') ? UndefinedValue.Unsafe(this, name) : null;

    public override Value? Item(Rendering rendering, Value key) =>
        key is StringValue name && rendering.Template.Blocks.TryGetValue(name.Text, out var body)
            ? new FunctionValue(new Builtin(name.Text, (Rendering r, Arguments _) => Render(r, body)))
            : null;

    private static StringValue Render(Rendering rendering, ScopedBody body)
    {
        rendering.Budget.Enter();
        var frame = rendering.RootFrame.Buffered();
        body.Run(frame);
        rendering.Budget.Leave();
        return StringValue.Of(frame.Output.Take(), rendering.Autoescape);
    }
}
