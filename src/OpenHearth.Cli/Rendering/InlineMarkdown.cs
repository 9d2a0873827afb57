using System.Text;

namespace OpenHearth.Cli.Rendering;

/// <summary>Bold, italic, struck and code inside one line, as the characters arrive (CommonMark's delimiter runs, simplified).</summary>
internal sealed class InlineMarkdown(WordWrap wrap)
{
    private const string BoldOn = "\e[1m", BoldOff = "\e[22m";
    private const string ItalicOn = "\e[3m", ItalicOff = "\e[23m";
    private const string StruckOn = "\e[9m", StruckOff = "\e[29m";
    private const string CodeOn = "\e[36m", CodeOff = "\e[39m";

    private bool _bold, _italic, _struck, _escaped;
    private int _codeTicks; // length of the run of backticks that opened the code span, 0 outside
    private Rune _previous = new(' ');
    private Rune _delimiter;
    private int _run; // length of the run of delimiters not yet understood

    /// <summary>One character of the line.</summary>
    public void Put(Rune rune)
    {
        if (_escaped)
        {
            _escaped = false;
            if (!Rune.IsPunctuation(rune) && !Rune.IsSymbol(rune))
                Literal(new Rune('\\'));
            Literal(rune);
            return;
        }
        if (_run > 0 && rune != _delimiter)
            Resolve(rune);
        if (rune.Value is '`' || (_codeTicks == 0 && rune.Value is '*' or '_' or '~' && _codeTicks == 0))
        {
            _delimiter = rune;
            _run++;
        }
        else if (rune.Value == '\\' && _codeTicks == 0)
        {
            _escaped = true;
        }
        else
        {
            Literal(rune);
        }
    }

    /// <summary>The line has ended: what is still open ends with it.</summary>
    public void End()
    {
        if (_run > 0)
            Resolve(new Rune(' '));
        if (_escaped)
            Literal(new Rune('\\'));
        if (_bold)
            wrap.Style(BoldOff);
        if (_italic)
            wrap.Style(ItalicOff);
        if (_struck)
            wrap.Style(StruckOff);
        if (_codeTicks > 0)
            wrap.Style(CodeOff);
        (_bold, _italic, _struck, _escaped, _codeTicks) = (false, false, false, false, 0);
        _previous = new Rune(' ');
    }

    private void Literal(Rune rune)
    {
        wrap.Put(rune);
        _previous = rune;
    }

    private void Resolve(Rune next)
    {
        var run = _run;
        _run = 0;
        switch (_delimiter.Value)
        {
            case '`':
                Ticks(run);
                break;
            case '~' when run == 2 && (_struck || !Rune.IsWhiteSpace(next)):
                Toggle(ref _struck, StruckOn, StruckOff);
                break;
            case '~':
                Repeat(run);
                break;
            default:
                Emphasis(run, next);
                break;
        }
        if (_previous.Value != _delimiter.Value)
            _previous = new Rune('*'); // punctuation stands before what follows
    }

    private void Ticks(int run)
    {
        if (_codeTicks == 0)
        {
            _codeTicks = run;
            wrap.Style(CodeOn);
        }
        else if (_codeTicks == run)
        {
            _codeTicks = 0;
            wrap.Style(CodeOff);
        }
        else
        {
            Repeat(run);
        }
    }

    private void Emphasis(int run, Rune next)
    {
        var underscore = _delimiter.Value == '_';
        var opens = !Rune.IsWhiteSpace(next) && !(underscore && Rune.IsLetterOrDigit(_previous));
        var closes = !Rune.IsWhiteSpace(_previous) && !(underscore && Rune.IsLetterOrDigit(next));
        if (run >= 2 && (_bold ? closes : opens))
        {
            Toggle(ref _bold, BoldOn, BoldOff);
            run -= 2;
        }
        if (run >= 1 && (_italic ? closes : opens))
        {
            Toggle(ref _italic, ItalicOn, ItalicOff);
            run--;
        }
        Repeat(run);
    }

    private void Toggle(ref bool style, string on, string off)
    {
        style = !style;
        wrap.Style(style ? on : off);
    }

    private void Repeat(int run)
    {
        for (var i = 0; i < run; i++)
            Literal(_delimiter);
    }
}
