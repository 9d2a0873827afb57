using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Syntax;

internal sealed class IfStatement((Expression Condition, Statement[] Body)[] branches, Statement[] otherwise, int line) : Statement(line)
{
    protected override Flow Execute(Frame frame)
    {
        foreach (var (condition, body) in branches)
        {
            if (condition.Evaluate(frame).IsTrue)
                return Run(body, frame);
        }
        return Run(otherwise, frame);
    }
}

internal sealed class LeaveStatement(Flow flow, int line) : Statement(line)
{
    protected override Flow Execute(Frame frame) => flow;
}

/// <summary><c>{% for %}</c>: each turn has its own variables; elements are fetched as they are needed.</summary>
internal sealed class ForStatement(
    Target target, Expression iterable, Expression? filter, bool isRecursive, Statement[] body, Statement[] otherwise, int line) : Statement(line)
{
    protected override Flow Execute(Frame frame)
    {
        Loop(frame, iterable.Evaluate(frame), 0);
        return Flow.Next;
    }

    private void Loop(Frame frame, Value items, int depth)
    {
        var elements = Rendering.Iterate(items);
        var source = filter is null ? items : new IteratorValue(Filter(frame, elements));
        if (filter is not null)
            elements = source.Iterate()!;
        Func<Value, int, Value>? recurse = isRecursive ? (value, inner) => Recurse(frame, value, inner) : null;
        var loop = new LoopValue(frame.Rendering, source, elements, depth, recurse);
        var turn = frame.Inner();
        var any = false;
        while (loop.Next() is { } item)
        {
            if (any)
                turn.Scope = turn.Scope.Renew();
            any = true;
            turn.Scope.Set("loop", loop);
            target.Assign(turn, item);
            if (Run(body, turn) == Flow.Break)
                break;
        }
        if (!any)
            Run(otherwise, frame.Inner());
    }

    private StringValue Recurse(Frame frame, Value items, int depth)
    {
        var budget = frame.Budget;
        budget.Enter();
        var inner = new Frame(frame.Rendering, frame.Scope, new TextSink(budget));
        Loop(inner, items, depth);
        budget.Leave();
        return StringValue.Of(inner.Output.Take(), frame.Rendering.Autoescape);
    }

    private IEnumerable<Value> Filter(Frame frame, IEnumerator<Value> elements)
    {
        var turn = frame.Inner();
        while (elements.MoveNext())
        {
            frame.Budget.Step();
            turn.Scope = turn.Scope.Renew();
            target.Assign(turn, elements.Current);
            if (filter!.Evaluate(turn).IsTrue)
                yield return elements.Current;
        }
    }
}
