using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Syntax;

internal sealed class SetStatement(Target target, Expression value, int line) : Statement(line)
{
    protected override Flow Execute(Frame frame)
    {
        target.Assign(frame, value.Evaluate(frame));
        return Flow.Next;
    }
}

/// <summary><c>{% set name %}…{% endset %}</c>: the value is what the block writes, through filters if there are any.</summary>
internal sealed class SetBlockStatement(Target target, FilterExpression? filter, ScopedBody body, int line) : Statement(line)
{
    protected override Flow Execute(Frame frame)
    {
        var inner = frame.Buffered();
        var flow = body.Run(inner);
        if (flow != Flow.Next)
            return flow;
        var text = StringValue.Of(inner.Output.Take(), frame.Rendering.Autoescape);
        target.Assign(frame, filter?.Apply(inner, text) ?? text);
        return Flow.Next;
    }
}

/// <summary><c>{% with a = 1 %}</c>: the values are computed before any of the names is set.</summary>
internal sealed class WithStatement((Target Target, Expression Value)[] bindings, ScopedBody body, int line) : Statement(line)
{
    protected override Flow Execute(Frame frame)
    {
        var inner = frame.Inner();
        var values = Array.ConvertAll(bindings, binding => binding.Value.Evaluate(frame));
        for (var i = 0; i < values.Length; i++)
            bindings[i].Target.Assign(inner, values[i]);
        return body.Run(inner);
    }
}
