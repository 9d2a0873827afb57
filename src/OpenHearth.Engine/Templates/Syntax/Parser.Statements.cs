namespace OpenHearth.Engine.Templates.Syntax;

/// <summary>Statements: <c>{% … %}</c> with what is between them.</summary>
internal sealed partial class Parser
{
    private static readonly string[] Tags =
    [
        "if", "for", "set", "macro", "call", "filter", "with", "print", "generation", "break", "continue", "autoescape", "block",
        "include", "import", "from", "extends",
    ];

    private readonly Stack<string> _openTags = new();
    private readonly Stack<string[]> _endTags = new();
    private readonly Stack<SpecialNames> _macros = new();
    private int _loops;
    private Symbols _symbols = new(null);

    /// <summary>True where an unknown filter is an error only if it runs: under a condition, in the same scope.</summary>
    private bool _isConditional;

    /// <summary>Statements up to one of the ends, which is left unread; up to the end of the template where there are none.</summary>
    private Statement[] Body(string[]? ends)
    {
        var body = new List<Statement>();
        if (ends is not null)
            _endTags.Push(ends);
        while (Current.Kind != TokenKind.End)
        {
            var token = Next();
            switch (token.Kind)
            {
                case TokenKind.Data:
                    body.Add(new TextStatement(token.Text, token.Line));
                    break;
                case TokenKind.VariableBegin:
                    body.Add(new PrintStatement([Tuple()], token.Line));
                    Expect(TokenKind.VariableEnd);
                    break;
                default:
                    if (ends is not null && Current.Kind == TokenKind.Name && Array.IndexOf(ends, Current.Text) >= 0)
                    {
                        _endTags.Pop();
                        return [.. body];
                    }
                    body.Add(Statement());
                    Expect(TokenKind.BlockEnd);
                    break;
            }
        }
        return ends is null ? [.. body] : throw UnknownTag(null, Current.Line);
    }

    /// <summary>The rest of a tag, then statements up to one of the ends.</summary>
    private Statement[] Block(params string[] ends)
    {
        SkipOperator(":");
        Expect(TokenKind.BlockEnd);
        return Body(ends);
    }

    /// <summary>A block with its own variables, the declared ones among them, up to one of the ends.</summary>
    private ScopedBody Scoped(IEnumerable<string> declared, params string[] ends)
    {
        var symbols = Declared(declared);
        return Within(symbols, () => new ScopedBody(Block(ends), symbols));
    }

    /// <summary>A block with its own variables; its end is read.</summary>
    private ScopedBody Closed(string end, IEnumerable<string>? declared = null)
    {
        var body = Scoped(declared ?? [], end);
        Next();
        return body;
    }

    private Symbols Declared(IEnumerable<string> names)
    {
        var symbols = new Symbols(_symbols);
        foreach (var name in names)
            symbols.Declare(name);
        return symbols;
    }

    private T Within<T>(Symbols symbols, Func<T> parse)
    {
        var (outer, wasConditional) = (_symbols, _isConditional);
        (_symbols, _isConditional) = (symbols, false);
        var result = parse();
        (_symbols, _isConditional) = (outer, wasConditional);
        return result;
    }

    private void NoteSet(Target target)
    {
        foreach (var name in target.Names)
            _symbols.Set(name, _isConditional);
    }

    private Statement Statement()
    {
        Enter();
        var token = Current.Kind == TokenKind.Name ? Current : throw Error("tag name expected");
        if (Array.IndexOf(Tags, token.Text) < 0)
            throw UnknownTag(token.Text, token.Line);
        Next();
        _openTags.Push(token.Text);
        var statement = token.Text switch
        {
            "if" => If(token.Line),
            "for" => For(token.Line),
            "set" => Set(token.Line),
            "macro" => Macro(token.Line),
            "call" => CallBlock(token.Line),
            "filter" => FilterBlock(token.Line),
            "with" => With(token.Line),
            "print" => Print(token.Line),
            "generation" => Generation(token.Line),
            "break" => Leaving(Flow.Break, token),
            "continue" => Leaving(Flow.Continue, token),
            "autoescape" => new AutoescapeStatement(Expression(), Closed("endautoescape"), token.Line),
            "block" => NamedBlock(token.Line),
            _ => Load(token.Line),
        };
        _openTags.Pop();
        Leave();
        return statement;
    }

    private IfStatement If(int line)
    {
        var outer = _isConditional;
        var branches = new List<(Expression, Statement[])>();
        Statement[] otherwise = [];
        while (true)
        {
            _isConditional = true;
            branches.Add((Tuple(withConditional: false), Block("elif", "else", "endif")));
            var end = Next();
            if (end.Text == "elif")
                continue;
            if (end.Text == "else")
            {
                otherwise = Block("endif");
                Next();
            }
            _isConditional = outer;
            return new([.. branches], otherwise, line);
        }
    }

    private ForStatement For(int line)
    {
        var target = Target("in");
        ExpectName("in");
        var iterable = Tuple(withConditional: false, end: "recursive");
        var filter = SkipName("if") ? Within(Declared(target.Names), () => Expression()) : null;
        var isRecursive = SkipName("recursive");
        _loops++;
        var body = Scoped([.. target.Names, "loop"], "endfor", "else");
        _loops--;
        var otherwise = Next().Text == "else" ? Closed("endfor") : null;
        return new(target, iterable, filter, isRecursive, body, otherwise, line);
    }

    private LeaveStatement Leaving(Flow flow, Token tag) =>
        _loops > 0 ? new(flow, tag.Line) : throw Error($"'{tag.Text}' outside loop", tag.Line);

    private Statement Set(int line)
    {
        var target = Target(null, allowMember: true);
        if (SkipOperator("="))
        {
            var value = Tuple();
            NoteSet(target);
            return new SetStatement(target, value, line);
        }
        NoteSet(target);
        var filter = Filters(null);
        return new SetBlockStatement(target, filter, Closed("endset"), line);
    }

    private WithStatement With(int line)
    {
        var bindings = new List<(Target, Expression)>();
        while (Current.Kind != TokenKind.BlockEnd)
        {
            if (bindings.Count > 0)
                ExpectOperator(",");
            var target = Target(null);
            ExpectOperator("=");
            bindings.Add((target, Expression()));
        }
        return new([.. bindings], Closed("endwith", bindings.SelectMany(static binding => binding.Item1.Names)), line);
    }

    private PrintStatement Print(int line)
    {
        var expressions = new List<Expression>();
        while (Current.Kind != TokenKind.BlockEnd)
        {
            if (expressions.Count > 0)
                ExpectOperator(",");
            expressions.Add(Expression());
        }
        return new([.. expressions], line);
    }

    private FilterStatement FilterBlock(int line)
    {
        var filter = Filters(null, startsInline: true)!;
        return new(filter, Closed("endfilter"), line);
    }

    private GenerationStatement Generation(int line)
    {
        _marksGeneration = true;
        var loops = _loops;
        _loops = 0;
        var body = Closed("endgeneration");
        _loops = loops;
        return new(body, line);
    }

    private BlockStatement NamedBlock(int line)
    {
        var name = Expect(TokenKind.Name).Text;
        var isScoped = SkipName("scoped");
        SkipName("required");
        if (Current.IsOperator("-"))
            throw Error("Block names in Jinja have to be valid Python identifiers and may not contain hyphens, use an underscore instead.");
        var loops = _loops;
        _loops = 0;
        var body = Closed("endblock");
        _loops = loops;
        SkipName(name);
        return _blocks.TryAdd(name, body) ? new(body, isScoped, line) : throw Error($"block '{name}' defined twice", line);
    }

    private LoadStatement Load(int line)
    {
        while (Current.Kind is not (TokenKind.BlockEnd or TokenKind.End))
            Next();
        return new(line);
    }

    private MacroStatement Macro(int line)
    {
        var name = Expect(TokenKind.Name).Text;
        _symbols.Set(name, _isConditional);
        return new(Definition(name, new Symbols(_symbols), null, "endmacro"), line);
    }

    private CallStatement CallBlock(int line)
    {
        var symbols = new Symbols(_symbols);
        var parameters = Current.IsOperator("(") ? Within(symbols, Signature) : [];
        if (Expression() is not CallExpression call)
            throw Error("expected call", line);
        return new(call, Definition(null, symbols, parameters, "endcall"), line);
    }

    private Parameter[] Signature()
    {
        var parameters = new List<Parameter>();
        ExpectOperator("(");
        while (!Current.IsOperator(")"))
        {
            if (parameters.Count > 0)
                ExpectOperator(",");
            var name = Expect(TokenKind.Name).Text;
            var fallback = SkipOperator("=") ? Expression() : null;
            if (fallback is null && parameters.Count > 0 && parameters[^1].Default is not null)
                throw Error("non-default argument follows default argument");
            _symbols.Declare(name);
            parameters.Add(new(name, fallback));
        }
        Next();
        return [.. parameters];
    }

    /// <summary>The body of a macro or call, and before it the parameters where they aren't read yet.</summary>
    private MacroDefinition Definition(string? name, Symbols symbols, Parameter[]? parameters, string end)
    {
        var special = new SpecialNames();
        _macros.Push(special);
        var loops = _loops;
        _loops = 0;
        parameters ??= Within(symbols, Signature);
        var body = Within(symbols, () => new ScopedBody(Block(end), symbols));
        Next();
        _loops = loops;
        _macros.Pop();
        return new(name, parameters, body, special.Caller, special.Kwargs, special.Varargs);
    }

    private TemplateException UnknownTag(string? name, int line)
    {
        var message = name is null ? "Unexpected end of template." : $"Encountered unknown tag '{name}'.";
        if (_endTags.TryPeek(out var ends))
        {
            var wanted = string.Join(" or ", Array.ConvertAll(ends, static end => $"'{end}'"));
            message += name is not null && _endTags.Any(outer => Array.IndexOf(outer, name) >= 0)
                ? $" You probably made a nesting mistake. Jinja is expecting this tag, but currently looking for {wanted}."
                : $" Jinja was looking for the following tags: {wanted}.";
        }
        if (_openTags.TryPeek(out var open))
            message += $" The innermost block that needs to be closed is '{open}'.";
        return Error(message, line);
    }

    /// <summary>Which of the names that only macros have are used in a macro's body.</summary>
    private sealed class SpecialNames
    {
        public bool Caller { get; private set; }

        public bool Kwargs { get; private set; }

        public bool Varargs { get; private set; }

        public void Note(string name)
        {
            Caller |= name == "caller";
            Kwargs |= name == "kwargs";
            Varargs |= name == "varargs";
        }
    }
}
