using OpenHearth.Engine.Templates.Filters;
using OpenHearth.Engine.Templates.Tests;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Syntax;

/// <summary>Expressions, loosest binding first.</summary>
internal sealed partial class Parser
{
    private Expression Expression(bool withConditional = true) => withConditional ? Conditional() : Or();

    private Expression Conditional()
    {
        Enter();
        var line = Current.Line;
        var unknown = _unknownNames.Count;
        var expression = Or();
        while (SkipName("if"))
        {
            var condition = Or();
            var otherwise = SkipName("else") ? Conditional() : null;
            expression = new ConditionalExpression(condition, expression, otherwise, line);
            _unknownNames.RemoveRange(unknown, _unknownNames.Count - unknown);
            line = Current.Line;
        }
        Leave();
        return expression;
    }

    private Expression Or()
    {
        var left = And();
        while (SkipName("or"))
            left = new OrExpression(left, And());
        return left;
    }

    private Expression And()
    {
        var left = Not();
        while (SkipName("and"))
            left = new AndExpression(left, Not());
        return left;
    }

    private Expression Not()
    {
        if (!SkipName("not"))
            return Compare();
        Enter();
        var operand = Not();
        Leave();
        return new NotExpression(operand);
    }

    private Expression Compare()
    {
        var first = Sum();
        var rest = new List<(string, Expression)>();
        while (true)
        {
            if (Current.Kind == TokenKind.Operator && Current.Text is "==" or "!=" or "<" or "<=" or ">" or ">=")
            {
                var sign = Next().Text;
                rest.Add((sign, Sum()));
            }
            else if (SkipName("in"))
            {
                rest.Add(("in", Sum()));
            }
            else if (Current.IsName("not") && Look().IsName("in"))
            {
                Move(2);
                rest.Add(("not in", Sum()));
            }
            else
            {
                return rest.Count == 0 ? first : new ComparisonExpression(first, [.. rest]);
            }
        }
    }

    private Expression Sum()
    {
        var left = Concat();
        while (Current.Kind == TokenKind.Operator && Current.Text is "+" or "-")
        {
            var sign = Next().Text;
            left = new BinaryExpression(sign, left, Concat());
        }
        return left;
    }

    private Expression Concat()
    {
        var first = Product();
        if (!Current.IsOperator("~"))
            return first;
        var parts = new List<Expression> { first };
        while (SkipOperator("~"))
            parts.Add(Product());
        return new ConcatExpression([.. parts]);
    }

    private Expression Product()
    {
        var left = Power();
        while (Current.Kind == TokenKind.Operator && Current.Text is "*" or "/" or "//" or "%")
        {
            var sign = Next().Text;
            left = new BinaryExpression(sign, left, Power());
        }
        return left;
    }

    /// <summary>Powers bind to the left and looser than a sign, as in Jinja (and not as in Python).</summary>
    private Expression Power()
    {
        var left = Unary();
        while (SkipOperator("**"))
            left = new BinaryExpression("**", left, Unary());
        return left;
    }

    private Expression Unary(bool withFilters = true)
    {
        Expression node;
        if (Current.Kind == TokenKind.Operator && Current.Text is "-" or "+")
        {
            Enter();
            var positive = Next().Text == "+";
            node = new SignExpression(positive, Unary(withFilters: false));
            Leave();
        }
        else
        {
            node = Primary();
        }
        node = Postfix(node);
        return withFilters ? FiltersAndTests(node) : node;
    }

    private Expression Primary()
    {
        var token = Current;
        switch (token.Kind)
        {
            case TokenKind.Name:
                Next();
                return token.Text switch
                {
                    "true" or "True" => new LiteralExpression(BooleanValue.True),
                    "false" or "False" => new LiteralExpression(BooleanValue.False),
                    "none" or "None" => new LiteralExpression(NoneValue.Instance),
                    _ => Name(token),
                };
            case TokenKind.String:
                var text = Next().Text;
                while (Current.Kind == TokenKind.String)
                    text += Next().Text;
                return new LiteralExpression(StringValue.Of(text));
            case TokenKind.Integer or TokenKind.Float:
                return new LiteralExpression(Next().Number!);
            case TokenKind.Operator when token.Text == "(":
                Next();
                var inner = Tuple(explicitParentheses: true);
                ExpectOperator(")");
                return inner;
            case TokenKind.Operator when token.Text == "[":
                Next();
                return new ListExpression(Items("]", Conditional));
            case TokenKind.Operator when token.Text == "{":
                Next();
                return new DictExpression(Items("}", Entry));
            default:
                throw Error($"unexpected '{token.Description}'", token.Line);
        }
    }

    private NameExpression Name(Token token)
    {
        _symbols.Read(token.Text);
        foreach (var macro in _macros)
            macro.Note(token.Text);
        return new(token.Text, token.Line);
    }

    /// <summary>Items with commas between them, perhaps one after the last, up to a closing bracket.</summary>
    private T[] Items<T>(string close, Func<T> item)
    {
        var items = new List<T>();
        while (!Current.IsOperator(close))
        {
            if (items.Count > 0)
                ExpectOperator(",");
            if (Current.IsOperator(close))
                break;
            items.Add(item());
        }
        Next();
        return [.. items];
    }

    private (Expression Key, Expression Value) Entry()
    {
        var key = Expression();
        ExpectOperator(":");
        return (key, Expression());
    }

    /// <summary>One expression, or several with commas as a tuple.</summary>
    private Expression Tuple(bool withConditional = true, string? end = null, bool explicitParentheses = false)
    {
        var items = new List<Expression>();
        var isTuple = false;
        while (true)
        {
            if (items.Count > 0)
                ExpectOperator(",");
            if (IsTupleEnd(end))
                break;
            items.Add(Expression(withConditional));
            if (!Current.IsOperator(","))
                break;
            isTuple = true;
        }
        if (!isTuple && items.Count == 1)
            return items[0];
        if (!isTuple && !explicitParentheses)
            throw Error($"Expected an expression, got '{Current.Description}'");
        return new TupleExpression([.. items]);
    }

    private bool IsTupleEnd(string? end) => Current.Kind is TokenKind.VariableEnd or TokenKind.BlockEnd
        || Current.IsOperator(")") || (end is not null && Current.IsName(end));

    private Expression Postfix(Expression node)
    {
        while (true)
        {
            if (SkipOperator("."))
                node = Member(node);
            else if (Current.IsOperator("["))
                node = Subscript(node);
            else if (Current.IsOperator("("))
                node = new CallExpression(node, Arguments());
            else
                return node;
        }
    }

    private Expression Member(Expression target)
    {
        var name = Next();
        return name.Kind switch
        {
            TokenKind.Name => new AttributeExpression(target, name.Text),
            TokenKind.Integer => new ItemExpression(target, new LiteralExpression(name.Number!)),
            _ => throw Error("expected name or number", name.Line),
        };
    }

    private Expression Subscript(Expression target)
    {
        var line = Next().Line;
        var keys = new List<Expression>();
        Expression? slice = null;
        while (!Current.IsOperator("]"))
        {
            if (keys.Count > 0 || slice is not null)
                ExpectOperator(",");
            var key = Current.IsOperator(":") ? null : Expression();
            if (Current.IsOperator(":"))
                slice = Slice(target, key);
            else
                keys.Add(key!);
        }
        Next();
        if (slice is not null)
            return keys.Count == 0 ? slice : throw Error("a slice can't stand beside other keys", line);
        return new ItemExpression(target, keys.Count == 1 ? keys[0] : new TupleExpression([.. keys]));
    }

    private SliceExpression Slice(Expression target, Expression? start)
    {
        Next();
        var stop = IsBound() ? Expression() : null;
        var step = SkipOperator(":") && IsBound() ? Expression() : null;
        return new(target, start, stop, step);

        bool IsBound() => Current.Kind != TokenKind.Operator || Current.Text is not (":" or "]" or ",");
    }

    private Expression FiltersAndTests(Expression node)
    {
        while (true)
        {
            if (Current.IsOperator("|"))
                node = Filters(node)!;
            else if (Current.IsName("is"))
                node = Test(node);
            else if (Current.IsOperator("("))
                node = new CallExpression(node, Arguments());
            else
                return node;
        }
    }

    private FilterExpression? Filters(Expression? source, bool startsInline = false)
    {
        var node = source;
        while (startsInline || SkipOperator("|"))
        {
            startsInline = false;
            var (name, line) = DottedName();
            node = new FilterExpression(node, name, Current.IsOperator("(") ? Arguments() : ArgumentList.None);
            if (FilterTable.Find(name) is null)
                NoteUnknown($"No filter named '{name}'.", line);
        }
        return node as FilterExpression;
    }

    private Expression Test(Expression source)
    {
        Next();
        var isNegated = SkipName("not");
        var (name, line) = DottedName();
        var arguments = ArgumentList.None;
        if (Current.IsOperator("("))
        {
            arguments = Arguments();
        }
        else if (StartsArgument())
        {
            if (Current.IsName("is"))
                throw Error("You cannot chain multiple tests with is");
            Enter();
            arguments = new([Postfix(Primary())], [], null, null);
            Leave();
        }
        if (TestTable.Find(name) is null)
            NoteUnknown($"No test named '{name}'.", line);
        var test = new TestExpression(source, name, arguments);
        return isNegated ? new NotExpression(test) : test;
    }

    private bool StartsArgument() => Current.Kind switch
    {
        TokenKind.Name => Current.Text is not ("else" or "or" or "and"),
        TokenKind.String or TokenKind.Integer or TokenKind.Float => true,
        TokenKind.Operator => Current.Text is "[" or "{",
        _ => false,
    };

    private (string Name, int Line) DottedName()
    {
        var (name, line) = (Expect(TokenKind.Name).Text, Current.Line);
        while (SkipOperator("."))
            name += "." + Expect(TokenKind.Name).Text;
        return (name, line);
    }

    private void NoteUnknown(string message, int line)
    {
        if (!_isConditional)
            _unknownNames.Add((message, line));
    }

    private ArgumentList Arguments()
    {
        Enter();
        var line = Next().Line;
        var positional = new List<Expression>();
        var named = new List<(string, Expression)>();
        Expression? rest = null;
        Expression? names = null;
        for (var first = true; !Current.IsOperator(")"); first = false)
        {
            if (!first)
                ExpectOperator(",");
            if (!first && Current.IsOperator(")"))
                break;
            if (SkipOperator("*"))
                rest = rest is null && names is null ? Expression() : throw InvalidCall(line);
            else if (SkipOperator("**"))
                names = names is null ? Expression() : throw InvalidCall(line);
            else if (Current.Kind == TokenKind.Name && Look().IsOperator("="))
                named.Add(names is null ? NamedArgument(named, line) : throw InvalidCall(line));
            else
                positional.Add(rest is null && names is null && named.Count == 0 ? Expression() : throw InvalidCall(line));
        }
        Next();
        Leave();
        return new([.. positional], [.. named], rest, names);
    }

    private (string Name, Expression Value) NamedArgument(List<(string Name, Expression Value)> others, int line)
    {
        var name = Next().Text;
        Next();
        return others.Exists(other => other.Name == name)
            ? throw Error($"keyword argument repeated: {name}", line)
            : (name, Expression());
    }

    private TemplateException InvalidCall(int line) => Error("invalid syntax for function call expression", line);

    /// <summary>What a value is assigned to: a name, several, or (where allowed) a member of a namespace.</summary>
    private Target Target(string? end, bool allowMember = false)
    {
        var targets = new List<Target>();
        var isTuple = false;
        while (true)
        {
            if (targets.Count > 0)
                ExpectOperator(",");
            if (IsTupleEnd(end))
                break;
            targets.Add(SingleTarget(allowMember));
            if (!Current.IsOperator(","))
                break;
            isTuple = true;
        }
        if (targets.Count == 0)
            throw Error($"Expected an expression, got '{Current.Description}'");
        return isTuple ? new TupleTarget([.. targets]) : targets[0];
    }

    private Target SingleTarget(bool allowMember)
    {
        var token = Next();
        if (token.IsOperator("("))
        {
            Enter();
            var inner = Target(null, allowMember);
            Leave();
            ExpectOperator(")");
            return inner;
        }
        if (token.Kind is TokenKind.String or TokenKind.Integer or TokenKind.Float || token.Text is "true" or "True" or "false" or "False" or "none" or "None")
            throw Error("can't assign to 'const'", token.Line);
        if (token.Kind != TokenKind.Name)
            throw Error($"unexpected '{token.Description}'", token.Line);
        if (allowMember && SkipOperator("."))
        {
            _symbols.Read(token.Text);
            return new MemberTarget(token.Text, Expect(TokenKind.Name).Text);
        }
        return new NameTarget(token.Text);
    }
}
