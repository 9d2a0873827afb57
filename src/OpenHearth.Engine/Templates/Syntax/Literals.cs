using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Syntax;

internal sealed class LiteralExpression(Value value) : Expression
{
    public Value Value => value;

    protected override Value Compute(Frame frame) => value;
}

internal sealed class ListExpression(Expression[] items) : Expression
{
    protected override Value Compute(Frame frame)
    {
        frame.Budget.TakeItems(items.Length);
        return new ListValue(Array.ConvertAll(items, item => item.Evaluate(frame)));
    }
}

internal sealed class TupleExpression(Expression[] items) : Expression
{
    public Expression[] Items => items;

    protected override Value Compute(Frame frame)
    {
        frame.Budget.TakeItems(items.Length);
        return new TupleValue(Array.ConvertAll(items, item => item.Evaluate(frame)));
    }
}

internal sealed class DictExpression((Expression Key, Expression Value)[] entries) : Expression
{
    protected override Value Compute(Frame frame)
    {
        frame.Budget.TakeItems(2L * entries.Length);
        var dict = new DictValue(entries.Length);
        foreach (var (key, value) in entries)
            dict.Set(key.Evaluate(frame), value.Evaluate(frame));
        return dict;
    }
}
