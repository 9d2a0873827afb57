using System.Globalization;
using System.Numerics;
using OpenHearth.Engine.Templates.Text;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Syntax;

/// <summary>
/// Cuts a template into tokens. White space is handled as Jinja does with <c>trim_blocks</c> and <c>lstrip_blocks</c>:
/// a newline after a block or comment goes, blanks between the start of a line and a block or comment go, <c>-</c>
/// strips all white space on its side and <c>+</c> keeps it. One newline at the end of the template goes.
/// </summary>
internal sealed class Lexer
{
    private readonly string _source;
    private readonly List<Token> _tokens = [];
    private readonly Stack<char> _open = new();
    private readonly Dictionary<string, string> _names = [];
    private int _at;
    private int _line = 1;
    private bool _lineStarts = true;

    private Lexer(string source) => _source = source;

    /// <summary>The tokens up to the end of the template, or up to the failure, which counts only if the parser gets that far.</summary>
    public static (List<Token> Tokens, TemplateException? Failure) Tokenize(string source)
    {
        var text = source.Contains('\r')
            ? source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n')
            : source;
        if (text.EndsWith('\n'))
            text = text[..^1];
        var lexer = new Lexer(text);
        TemplateException? failure = null;
        try
        {
            lexer.Run();
        }
        catch (TemplateException caught)
        {
            failure = caught;
        }
        lexer._tokens.Add(new(TokenKind.End, "", lexer._line));
        return (lexer._tokens, failure);
    }

    private void Run()
    {
        while (_at < _source.Length)
        {
            var tag = NextTag();
            if (tag < 0)
            {
                AddData(_source.AsSpan(_at));
                _at = _source.Length;
                break;
            }
            var kind = _source[tag + 1];
            var sign = SignAt(tag + 2);
            var text = Cut(_source.AsSpan(_at, tag - _at), sign, canStripLine: kind != '{');
            AddData(text);
            Advance(tag);
            switch (kind)
            {
                case '#':
                    Advance(tag + 2 + (sign == 0 ? 0 : 1));
                    Comment();
                    break;
                case '%' when RawBegin(tag + 2 + (sign == 0 ? 0 : 1)) is { } end:
                    Advance(end);
                    Raw();
                    break;
                default:
                    _tokens.Add(new(kind == '%' ? TokenKind.BlockBegin : TokenKind.VariableBegin, "", _line));
                    Advance(tag + 2 + (sign == 0 ? 0 : 1));
                    _lineStarts = false;
                    Tag(kind == '%');
                    break;
            }
        }
    }

    private int NextTag()
    {
        for (var at = _at; ; at++)
        {
            at = _source.IndexOf('{', at);
            if (at < 0 || at + 1 >= _source.Length)
                return -1;
            if (_source[at + 1] is '{' or '%' or '#')
                return at;
        }
    }

    private char SignAt(int at) => at < _source.Length && _source[at] is '-' or '+' ? _source[at] : '\0';

    /// <summary>The text before a tag without the white space that the tag strips.</summary>
    private ReadOnlySpan<char> Cut(ReadOnlySpan<char> text, char sign, bool canStripLine)
    {
        var end = text.Length;
        while (end > 0 && CodePoints.IsSpace(text[end - 1]) && (sign == '-' || text[end - 1] != '\n'))
            end--;
        if (sign == '-')
            return text[..end];
        var reachesLineStart = end == 0 ? _lineStarts : text[end - 1] == '\n';
        return sign == 0 && canStripLine && reachesLineStart ? text[..end] : text;
    }

    private void AddData(ReadOnlySpan<char> text)
    {
        if (text.Length > 0)
            _tokens.Add(new(TokenKind.Data, text.ToString(), _line));
    }

    /// <summary>Moves on and counts lines.</summary>
    private void Advance(int to)
    {
        _line += _source.AsSpan(_at, to - _at).Count('\n');
        if (to > _at)
            _lineStarts = _source[to - 1] == '\n';
        _at = to;
    }

    private int SkipSpace(int at)
    {
        while (at < _source.Length && CodePoints.IsSpace(_source[at]))
            at++;
        return at;
    }

    /// <summary>The offset behind the end of a tag that starts at an offset; -1 where there is no such end.</summary>
    private int EndOfTag(int at, char kind, bool trims, bool allowsPlus)
    {
        var sign = SignAt(at);
        if (sign == '+' && !allowsPlus)
            return -1;
        var end = sign == 0 ? at : at + 1;
        if (end + 1 >= _source.Length || _source[end] != kind || _source[end + 1] != '}')
            return -1;
        end += 2;
        if (sign == '-')
            return SkipSpace(end);
        return sign == 0 && trims && end < _source.Length && _source[end] == '\n' ? end + 1 : end;
    }

    private void Comment()
    {
        var end = _source.IndexOf("#}", _at, StringComparison.Ordinal);
        if (end < 0 && _at == _source.Length)
            return;
        if (end < 0)
            throw Error("Missing end of comment tag");
        if (end > _at && _source[end - 1] is '-' or '+')
            end--;
        Advance(EndOfTag(end, '#', trims: true, allowsPlus: true));
    }

    /// <summary>The offset behind <c>{% raw %}</c>; null where another tag starts.</summary>
    private int? RawBegin(int at)
    {
        var end = Keyword(at, "raw");
        if (end < 0)
            return null;
        end = EndOfTag(end, '%', trims: false, allowsPlus: false);
        return end < 0 ? null : end;
    }

    private int Keyword(int at, string word)
    {
        at = SkipSpace(at);
        return string.CompareOrdinal(_source, at, word, 0, word.Length) == 0 ? SkipSpace(at + word.Length) : -1;
    }

    private void Raw()
    {
        for (var tag = _source.IndexOf("{%", _at, StringComparison.Ordinal); tag >= 0; tag = _source.IndexOf("{%", tag + 1, StringComparison.Ordinal))
        {
            var sign = SignAt(tag + 2);
            var end = Keyword(tag + (sign == 0 ? 2 : 3), "endraw");
            end = end < 0 ? -1 : EndOfTag(end, '%', trims: true, allowsPlus: true);
            if (end < 0)
                continue;
            AddData(Cut(_source.AsSpan(_at, tag - _at), sign, canStripLine: true));
            Advance(end);
            return;
        }
        if (_at < _source.Length)
            throw Error("Missing end of raw directive");
    }

    /// <summary>Reads the tokens of a tag up to its end.</summary>
    private void Tag(bool isBlock)
    {
        while (true)
        {
            if (_open.Count == 0)
            {
                var end = EndOfTag(_at, isBlock ? '%' : '}', trims: isBlock, allowsPlus: isBlock);
                if (end >= 0)
                {
                    _tokens.Add(new(isBlock ? TokenKind.BlockEnd : TokenKind.VariableEnd, "", _line));
                    Advance(end);
                    return;
                }
            }
            if (_at >= _source.Length)
                return;
            var unit = _source[_at];
            if (CodePoints.IsSpace(unit))
                Advance(SkipSpace(_at));
            else if (char.IsAsciiDigit(unit))
                Number();
            else if (unit == '_' || char.IsLetter(unit))
                Name();
            else if (unit is '\'' or '"')
                String(unit);
            else
                Operator();
        }
    }

    private void Name()
    {
        var end = _at + 1;
        while (end < _source.Length && (_source[end] == '_' || char.IsLetterOrDigit(_source[end])))
            end++;
        var name = _source[_at..end];
        if (!_names.TryAdd(name, name))
            name = _names[name];
        _tokens.Add(new(TokenKind.Name, name, _line));
        _at = end;
    }

    private void String(char quote)
    {
        var end = _at + 1;
        while (end < _source.Length && _source[end] != quote)
            end += _source[end] == '\\' ? 2 : 1;
        if (end >= _source.Length)
            throw UnexpectedChar(quote);
        _tokens.Add(new(TokenKind.String, StringLiteral.Unescape(_source.AsSpan(_at + 1, end - _at - 1), _line), _line));
        Advance(end + 1);
    }

    private void Number()
    {
        var end = Digits(_at, static unit => char.IsAsciiDigit(unit));
        var isFloat = false;
        if (_at == 0 || _source[_at - 1] != '.')
        {
            if (end + 1 < _source.Length && _source[end] == '.' && char.IsAsciiDigit(_source[end + 1]))
                (isFloat, end) = (true, Digits(end + 1, static unit => char.IsAsciiDigit(unit)));
            if (end < _source.Length && _source[end] is 'e' or 'E')
            {
                var exponent = end + 1 < _source.Length && _source[end + 1] is '+' or '-' ? end + 2 : end + 1;
                if (exponent < _source.Length && char.IsAsciiDigit(_source[exponent]))
                    (isFloat, end) = (true, Digits(exponent, static unit => char.IsAsciiDigit(unit)));
            }
        }
        if (isFloat)
        {
            var real = double.Parse(Plain(_at, end), NumberStyles.Float, CultureInfo.InvariantCulture);
            _tokens.Add(new(TokenKind.Float, _source[_at..end], _line, new FloatValue(real)));
        }
        else
        {
            (end, var integer) = Integer(end);
            _tokens.Add(new(TokenKind.Integer, _source[_at..end], _line, IntegerValue.Of(integer)));
        }
        _at = end;
    }

    private (int End, BigInteger Value) Integer(int end)
    {
        if (_source[_at] == '0' && _at + 1 < _source.Length)
        {
            var radix = char.ToLowerInvariant(_source[_at + 1]) switch { 'x' => 16, 'o' => 8, 'b' => 2, _ => 0 };
            var first = _at + 2 < _source.Length && _source[_at + 2] == '_' ? _at + 3 : _at + 2;
            if (radix != 0 && first < _source.Length && IsDigit(_source[first], radix))
            {
                end = Digits(first, unit => IsDigit(unit, radix));
                return (end, PythonNumber.ParseInteger(Plain(_at, end), radix) ?? BigInteger.Zero);
            }
        }
        if (_source[_at] == '0')
            end = Digits(_at, static unit => unit == '0');
        if (end - _at > PythonNumber.MaxDigits)
            throw Error($"Exceeds the limit ({PythonNumber.MaxDigits} digits) for integer string conversion");
        return (end, BigInteger.Parse(Plain(_at, end), NumberStyles.None, CultureInfo.InvariantCulture));
    }

    private static bool IsDigit(char unit, int radix) =>
        radix == 16 ? char.IsAsciiHexDigit(unit) : unit >= '0' && unit < '0' + radix;

    /// <summary>The end of digits with single underscores between them.</summary>
    private int Digits(int at, Func<char, bool> isDigit)
    {
        while (at < _source.Length && (isDigit(_source[at]) || (_source[at] == '_' && at + 1 < _source.Length && isDigit(_source[at + 1]))))
            at++;
        return at;
    }

    private string Plain(int start, int end) => _source[start..end].Replace("_", "", StringComparison.Ordinal);

    private void Operator()
    {
        var length = _at + 1 < _source.Length && _source.AsSpan(_at, 2) is "//" or "**" or "==" or "!=" or ">=" or "<=" ? 2 : 1;
        var unit = _source[_at];
        if (length == 1 && !"+-/*%~[](){}><=.:|,;".Contains(unit))
            throw UnexpectedChar(unit);
        if (length == 1 && unit is '(' or '[' or '{')
        {
            _open.Push(unit switch { '(' => ')', '[' => ']', _ => '}' });
        }
        else if (length == 1 && unit is ')' or ']' or '}')
        {
            if (!_open.TryPop(out var expected))
                throw Error($"unexpected '{unit}'");
            if (expected != unit)
                throw Error($"unexpected '{unit}', expected '{expected}'");
        }
        _tokens.Add(new(TokenKind.Operator, Sign(length), _line));
        _at += length;
    }

    private string Sign(int length) => length == 2 ? _source.Substring(_at, 2) : string.Intern(_source[_at].ToString());

    private TemplateException UnexpectedChar(char unit) =>
        Error($"unexpected char {(unit == '\'' ? "\"'\"" : unit == '\\' ? "'\\\\'" : $"'{unit}'")} at {_at}");

    private TemplateException Error(string message) => new(TemplateErrorKind.Syntax, message, _line);
}
