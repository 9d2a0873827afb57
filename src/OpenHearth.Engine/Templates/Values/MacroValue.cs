using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Syntax;

namespace OpenHearth.Engine.Templates.Values;

/// <summary>A macro, or the block of a <c>call</c>, with the variables that it sees.</summary>
internal sealed class MacroValue(MacroDefinition definition, Scope closure) : Value
{
    /// <summary>A call makes a scope and a buffer, which cost as much time and memory as so many plain steps.</summary>
    private const int StepsOfCall = 32;

    public override string TypeName => "Macro";

    public override string Description => "jinja2.runtime.Macro object";

    public override bool IsCallable => true;

    public override void WriteRepr(TextSink sink) =>
        sink.Append(definition.Name is null ? "<Macro anonymous>" : $"<Macro '{definition.Name}'>");

    public override Value? Attribute(Rendering rendering, string name) => name switch
    {
        "name" => definition.Name is null ? NoneValue.Instance : StringValue.Of(definition.Name),
        "arguments" => new TupleValue([.. definition.Parameters.Select(static parameter => StringValue.Of(parameter.Name))]),
        "catch_kwargs" => BooleanValue.Of(definition.UsesKwargs),
        "catch_varargs" => BooleanValue.Of(definition.UsesVarargs),
        "caller" => BooleanValue.Of(definition.UsesCaller),
        _ => null,
    };

    public override Value Call(Rendering rendering, Arguments arguments)
    {
        rendering.Budget.Step(StepsOfCall);
        rendering.Budget.Enter();
        var line = rendering.Line;
        var frame = new Frame(rendering, new Scope(closure), new TextSink(rendering.Budget));
        definition.Bind(frame, arguments);
        definition.Body.Run(frame);
        rendering.Line = line;
        rendering.Budget.Leave();
        return StringValue.Of(frame.Output.Take(), rendering.Autoescape);
    }
}
