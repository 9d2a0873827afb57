using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Syntax;

internal sealed class NameExpression(string name, int line) : Expression
{
    public string Name => name;

    public int Line => line;

    protected override Value Compute(Frame frame) => frame.Scope.Find(name) ?? frame.Rendering.Resolve(name);
}

internal sealed class AttributeExpression(Expression target, string name) : Expression
{
    private readonly StringValue _name = StringValue.Of(name);

    protected override Value Compute(Frame frame) => Access.Attribute(frame.Rendering, target.Evaluate(frame), _name);
}

internal sealed class ItemExpression(Expression target, Expression key) : Expression
{
    protected override Value Compute(Frame frame)
    {
        var value = target.Evaluate(frame);
        return Access.Item(frame.Rendering, value, key.Evaluate(frame));
    }
}

internal sealed class SliceExpression(Expression target, Expression? start, Expression? stop, Expression? step) : Expression
{
    protected override Value Compute(Frame frame)
    {
        var value = target.Evaluate(frame);
        return Sequence.Slice(frame.Rendering, value, start?.Evaluate(frame), stop?.Evaluate(frame), step?.Evaluate(frame));
    }
}
