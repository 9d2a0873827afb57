using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Syntax;

/// <summary>What runs after a statement.</summary>
internal enum Flow
{
    Next,
    Continue,
    Break,
}

/// <summary>A parsed template.</summary>
internal sealed record Template(ScopedBody Body, IReadOnlyDictionary<string, ScopedBody> Blocks, bool MarksGeneration);

/// <summary>A node that gives a value. Immutable.</summary>
internal abstract class Expression
{
    public Value Evaluate(Frame frame)
    {
        var budget = frame.Budget;
        budget.Step();
        budget.Enter();
        var value = Compute(frame);
        budget.Leave();
        return value;
    }

    protected abstract Value Compute(Frame frame);
}

/// <summary>A node that writes, sets or decides. Immutable.</summary>
internal abstract class Statement(int line)
{
    public int Line => line;

    /// <summary>Runs statements in order until one leaves the loop they are in.</summary>
    public static Flow Run(Statement[] body, Frame frame)
    {
        foreach (var statement in body)
        {
            var budget = frame.Budget;
            budget.Step();
            budget.Enter();
            frame.Rendering.Line = statement.Line;
            var flow = statement.Execute(frame);
            budget.Leave();
            if (flow != Flow.Next)
                return flow;
        }
        return Flow.Next;
    }

    protected abstract Flow Execute(Frame frame);
}
