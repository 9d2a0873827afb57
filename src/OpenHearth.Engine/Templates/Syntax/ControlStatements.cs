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

/// <summary>
/// <c>{% for %}</c>: each turn has its own variables; elements are fetched as they are needed. <c>else</c> runs where no
/// turn came to its end, so also where each of them was left by <c>continue</c>, as in Jinja.
/// </summary>
internal sealed class ForStatement(
    Target target, Expression iterable, Expression? filter, bool isRecursive, ScopedBody body, ScopedBody? otherwise, int line) : Statement(line)
{
    protected override Flow Execute(Frame frame) => Loop(frame, iterable.Evaluate(frame), 0);

    /// <summary>Runs the loop; the flow is that of <c>else</c>, which may leave a loop around this one.</summary>
    private Flow Loop(Frame frame, Value items, int depth)
    {
        var elements = Rendering.Iterate(items);
        var source = filter is null ? items : new IteratorValue(Filter(frame, elements));
        if (filter is not null)
            elements = source.Iterate()!;
        Func<Value, int, Value>? recurse = isRecursive ? (value, inner) => Recurse(frame, value, inner) : null;
        var loop = new LoopValue(frame.Rendering, source, elements, depth, recurse);
        var turn = frame.Inner();
        var completed = false;
        while (loop.Next() is { } item)
        {
            turn.Scope = turn.Scope.Renew();
            turn.Scope.Set("loop", loop);
            target.Assign(turn, item);
            var flow = body.Run(turn);
            if (flow == Flow.Break)
                break;
            completed |= flow == Flow.Next;
        }
        return completed ? Flow.Next : otherwise?.Run(frame.Inner()) ?? Flow.Next;
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
        while (frame.Rendering.Advance(elements))
        {
            turn.Scope = turn.Scope.Renew();
            target.Assign(turn, elements.Current);
            if (filter!.Evaluate(turn).IsTrue)
                yield return elements.Current;
        }
    }
}
