using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Text;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Syntax;

internal sealed class TextStatement(string text, int line) : Statement(line)
{
    protected override Flow Execute(Frame frame)
    {
        frame.Output.Append(text);
        return Flow.Next;
    }
}

/// <summary><c>{{ expression }}</c> and <c>{% print a, b %}</c>.</summary>
internal sealed class PrintStatement(Expression[] expressions, int line) : Statement(line)
{
    protected override Flow Execute(Frame frame)
    {
        foreach (var expression in expressions)
            Write(frame, expression.Evaluate(frame));
        return Flow.Next;
    }

    public static void Write(Frame frame, Value value)
    {
        if (frame.Rendering.Autoescape)
            frame.Output.Append(Html.Escape(frame.Rendering, value).Text);
        else
            value.WriteText(frame.Output);
    }
}

/// <summary><c>{% filter name %}</c>: what the block writes goes through filters.</summary>
internal sealed class FilterStatement(FilterExpression filter, ScopedBody body, int line) : Statement(line)
{
    protected override Flow Execute(Frame frame)
    {
        var inner = frame.Buffered();
        var flow = body.Run(inner);
        if (flow == Flow.Next)
            PrintStatement.Write(frame, filter.Apply(inner, StringValue.Of(inner.Output.Take(), frame.Rendering.Autoescape)));
        return flow;
    }
}

/// <summary><c>{% generation %}</c>: the text is the assistant's; its place in the rendered text is noted.</summary>
internal sealed class GenerationStatement(ScopedBody body, int line) : Statement(line)
{
    protected override Flow Execute(Frame frame)
    {
        var inner = frame.Buffered();
        body.Run(inner);
        var text = inner.Output.Take();
        frame.Rendering.MarkGeneration(text.Length);
        frame.Output.Append(text);
        return Flow.Next;
    }
}

/// <summary><c>{% autoescape flag %}</c>.</summary>
internal sealed class AutoescapeStatement(Expression flag, ScopedBody body, int line) : Statement(line)
{
    protected override Flow Execute(Frame frame)
    {
        var rendering = frame.Rendering;
        var before = rendering.Autoescape;
        rendering.Autoescape = flag.Evaluate(frame).IsTrue;
        var flow = body.Run(frame.Inner());
        rendering.Autoescape = before;
        return flow;
    }
}

/// <summary><c>{% block name %}</c>: rendered where it stands, as there is nothing to inherit from.</summary>
internal sealed class BlockStatement(ScopedBody body, bool isScoped, int line) : Statement(line)
{
    protected override Flow Execute(Frame frame)
    {
        var outer = isScoped ? frame.Scope : frame.Rendering.RootFrame.Scope;
        return body.Run(new Frame(frame.Rendering, new Scope(outer), frame.Output));
    }
}

/// <summary><c>include</c>, <c>import</c>, <c>from</c> and <c>extends</c>: there is nothing that a template could load.</summary>
internal sealed class LoadStatement(int line) : Statement(line)
{
    protected override Flow Execute(Frame frame) => throw Errors.Type("no loader for this environment specified");
}
