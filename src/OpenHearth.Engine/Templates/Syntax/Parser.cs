namespace OpenHearth.Engine.Templates.Syntax;

/// <summary>Reads a template: this file holds the tokens and what statements and expressions share.</summary>
internal sealed partial class Parser
{
    /// <summary>The longest template, in UTF-16 units; the longest in use has some 30,000.</summary>
    private const int MaxLength = 1 << 18;

    /// <summary>How deep parentheses, blocks and the like may nest.</summary>
    private const int MaxDepth = 200;

    private readonly List<Token> _tokens;
    private readonly TemplateException? _lexerFailure;
    private readonly List<(string Message, int Line)> _unknownNames = [];
    private readonly Dictionary<string, ScopedBody> _blocks = [];
    private int _at;
    private int _depth;
    private bool _marksGeneration;

    public Parser(string source)
    {
        if (source.Length > MaxLength)
            throw new TemplateException(TemplateErrorKind.Limit, $"a template of more than {MaxLength} characters");
        (_tokens, _lexerFailure) = Lexer.Tokenize(source);
        Move(0);
    }

    private Token Current => _tokens[_at];

    public Template Parse()
    {
        var body = Body(null);
        if (_unknownNames.Count > 0)
            throw new TemplateException(TemplateErrorKind.Syntax, _unknownNames[0].Message, _unknownNames[0].Line);
        return new(new ScopedBody(body, _symbols), _blocks, _marksGeneration);
    }

    private Token Look(int ahead = 1) => _tokens[Math.Min(_at + ahead, _tokens.Count - 1)];

    private Token Next()
    {
        var token = Current;
        if (token.Kind != TokenKind.End)
            Move(1);
        return token;
    }

    private void Move(int count)
    {
        _at += count;
        if (_lexerFailure is not null && Current.Kind == TokenKind.End)
            throw _lexerFailure;
    }

    private bool SkipOperator(string sign)
    {
        if (!Current.IsOperator(sign))
            return false;
        Next();
        return true;
    }

    private bool SkipName(string name)
    {
        if (!Current.IsName(name))
            return false;
        Next();
        return true;
    }

    private void ExpectOperator(string sign)
    {
        if (!SkipOperator(sign))
            throw Expected(sign);
    }

    private void ExpectName(string name)
    {
        if (!SkipName(name))
            throw Expected(name);
    }

    private Token Expect(TokenKind kind) => Current.Kind == kind ? Next() : throw Expected(new Token(kind, "name", 0).Description);

    private TemplateException Expected(string what) => Current.Kind == TokenKind.End
        ? Error($"unexpected end of template, expected '{what}'.")
        : Error($"expected token '{what}', got '{Current.Description}'");

    private TemplateException Error(string message, int? line = null) =>
        new(TemplateErrorKind.Syntax, message, line ?? Current.Line);

    private void Enter()
    {
        if (++_depth > MaxDepth)
            throw new TemplateException(TemplateErrorKind.Limit, $"the template nests deeper than {MaxDepth}", Current.Line);
    }

    private void Leave() => _depth--;
}
