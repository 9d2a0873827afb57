using OpenHearth.Engine.Templates.Filters;
using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Tests;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Syntax;

/// <summary>The arguments of a call as written: by position, by name, <c>*rest</c> and <c>**names</c>.</summary>
internal sealed class ArgumentList(Expression[] positional, (string Name, Expression Value)[] named, Expression? rest, Expression? names)
{
    public static readonly ArgumentList None = new([], [], null, null);

    /// <summary>The arguments with a value before them (the one that is piped into a filter or test).</summary>
    public Arguments Evaluate(Frame frame, Value? first = null)
    {
        var values = new List<Value>(positional.Length + 1);
        if (first is not null)
            values.Add(first);
        foreach (var expression in positional)
            values.Add(expression.Evaluate(frame));
        if (named.Length == 0 && rest is null && names is null)
            return new([.. values], []);
        var keywords = new List<KeyValuePair<string, Value>>(named.Length);
        foreach (var (name, expression) in named)
            keywords.Add(new(name, expression.Evaluate(frame)));
        if (rest is not null)
            values.AddRange(frame.Rendering.ToList(rest.Evaluate(frame)));
        if (names is not null)
            AddNames(frame, keywords);
        return new([.. values], [.. keywords]);
    }

    private void AddNames(Frame frame, List<KeyValuePair<string, Value>> keywords)
    {
        if (names!.Evaluate(frame) is not DictValue dict)
            throw Errors.Type("argument after ** must be a mapping");
        frame.Budget.TakeItems(dict.Items.Count);
        foreach (var (key, value) in dict.Items)
        {
            var name = key is StringValue text ? text.Text : throw Errors.Type("keywords must be strings");
            if (keywords.Exists(keyword => keyword.Key == name))
                throw Errors.Type($"got multiple values for keyword argument '{name}'");
            frame.Budget.Step(keywords.Count);
            keywords.Add(new(name, value));
        }
    }
}

internal sealed class CallExpression(Expression target, ArgumentList arguments) : Expression
{
    public Value Call(Frame frame, KeyValuePair<string, Value>? extra)
    {
        var callee = target.Evaluate(frame);
        if (callee is UndefinedValue undefined)
            throw undefined.Failure();
        var values = arguments.Evaluate(frame);
        return callee.Call(frame.Rendering, extra is { } caller ? new(values.Positional, [.. values.Named, caller]) : values);
    }

    protected override Value Compute(Frame frame) => Call(frame, null);
}

/// <summary><c>value | name(…)</c>; the value of a filter block is what the block writes.</summary>
internal sealed class FilterExpression(Expression? source, string name, ArgumentList arguments) : Expression
{
    private readonly Builtin? _filter = FilterTable.Find(name);

    /// <summary>Applies the filters of a block to what it wrote.</summary>
    public Value Apply(Frame frame, Value block) =>
        Call(frame, source is FilterExpression inner ? inner.Apply(frame, block) : block);

    protected override Value Compute(Frame frame) => Call(frame, source!.Evaluate(frame));

    private Value Call(Frame frame, Value value)
    {
        var filter = _filter ?? throw Errors.Value($"No filter named '{name}' found.");
        return filter.Call(frame.Rendering, arguments.Evaluate(frame, value));
    }
}

/// <summary><c>value is name(…)</c>.</summary>
internal sealed class TestExpression(Expression source, string name, ArgumentList arguments) : Expression
{
    private readonly Builtin? _test = TestTable.Find(name);

    protected override Value Compute(Frame frame)
    {
        var test = _test ?? throw Errors.Value($"No test named '{name}' found.");
        return test.Call(frame.Rendering, arguments.Evaluate(frame, source.Evaluate(frame)));
    }
}
