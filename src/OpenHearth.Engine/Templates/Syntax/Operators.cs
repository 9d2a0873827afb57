using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Text;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Syntax;

internal sealed class BinaryExpression(string sign, Expression left, Expression right) : Expression
{
    protected override Value Compute(Frame frame)
    {
        var rendering = frame.Rendering;
        var (a, b) = (left.Evaluate(frame), right.Evaluate(frame));
        return sign switch
        {
            "+" => Arithmetic.Add(rendering, a, b),
            "-" => Arithmetic.Subtract(a, b),
            "*" => Arithmetic.Multiply(rendering, a, b),
            "/" => Arithmetic.Divide(a, b),
            "//" => Arithmetic.FloorDivide(rendering, a, b),
            "%" => Arithmetic.Modulo(rendering, a, b),
            _ => Arithmetic.Power(rendering, a, b),
        };
    }
}

internal sealed class SignExpression(bool positive, Expression operand) : Expression
{
    protected override Value Compute(Frame frame) => Arithmetic.Negate(operand.Evaluate(frame), positive);
}

internal sealed class NotExpression(Expression operand) : Expression
{
    protected override Value Compute(Frame frame) => BooleanValue.Of(!operand.Evaluate(frame).IsTrue);
}

internal sealed class AndExpression(Expression left, Expression right) : Expression
{
    protected override Value Compute(Frame frame) =>
        left.Evaluate(frame) is { IsTrue: false } falsy ? falsy : right.Evaluate(frame);
}

internal sealed class OrExpression(Expression left, Expression right) : Expression
{
    protected override Value Compute(Frame frame) =>
        left.Evaluate(frame) is { IsTrue: true } truthy ? truthy : right.Evaluate(frame);
}

/// <summary><c>a if b else c</c>; without <c>else</c> it is undefined where the condition is false.</summary>
internal sealed class ConditionalExpression(Expression condition, Expression then, Expression? otherwise, int line) : Expression
{
    protected override Value Compute(Frame frame)
    {
        if (condition.Evaluate(frame).IsTrue)
            return then.Evaluate(frame);
        return otherwise?.Evaluate(frame)
            ?? new UndefinedValue("if", $"the inline if-expression on line {line} evaluated to false and no else section was defined.");
    }
}

/// <summary>A chain of comparisons: <c>a &lt; b &lt; c</c> holds where both do.</summary>
internal sealed class ComparisonExpression(Expression first, (string Sign, Expression Operand)[] rest) : Expression
{
    protected override Value Compute(Frame frame)
    {
        var left = first.Evaluate(frame);
        foreach (var (sign, operand) in rest)
        {
            var right = operand.Evaluate(frame);
            if (!Holds(frame.Rendering, sign, left, right))
                return BooleanValue.False;
            left = right;
        }
        return BooleanValue.True;
    }

    public static bool Holds(Rendering rendering, string sign, Value left, Value right) => sign switch
    {
        "==" => Comparison.AreEqual(rendering, left, right),
        "!=" => !Comparison.AreEqual(rendering, left, right),
        "in" => Comparison.Contains(rendering, right, left),
        "not in" => !Comparison.Contains(rendering, right, left),
        "<" => Comparison.Order(rendering, left, right, sign) < 0,
        "<=" => Comparison.Order(rendering, left, right, sign) <= 0,
        ">" => Comparison.Order(rendering, left, right, sign) > 0,
        _ => Comparison.Order(rendering, left, right, sign) >= 0,
    };
}

/// <summary><c>a ~ b ~ c</c>: the operands printed one after another.</summary>
internal sealed class ConcatExpression(Expression[] parts) : Expression
{
    protected override Value Compute(Frame frame)
    {
        var sink = new TextSink(frame.Budget);
        var values = Array.ConvertAll(parts, part => part.Evaluate(frame));
        var markup = frame.Rendering.Autoescape && Array.Exists(values, static value => value is StringValue { IsMarkup: true });
        foreach (var value in values)
        {
            if (markup)
                sink.Append(Html.Escape(frame.Rendering, value).Text);
            else
                value.WriteText(sink);
        }
        return StringValue.Of(sink.Take(), markup);
    }
}
