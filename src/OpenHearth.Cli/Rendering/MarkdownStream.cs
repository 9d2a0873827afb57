using System.Text;

namespace OpenHearth.Cli.Rendering;

/// <summary>
/// Markdown for a terminal while it arrives: nothing that has been written is written again. Headings, lists, quotes,
/// code fences, tables, bold, italic, struck and code are shown with escape codes; lines break between words.
/// Control characters of the text never reach the terminal.
/// </summary>
internal sealed class MarkdownStream
{
    private readonly TextWriter _output;
    private readonly Func<int> _width;
    private readonly WordWrap _wrap;
    private readonly InlineMarkdown _inline;
    private readonly MarkdownTable _table = new();
    private readonly StringBuilder _start = new(); // the line so far, until its kind is clear
    private LineKind _kind = LineKind.Unknown;
    private string? _fence; // the fence that closes the code block, null outside
    private string _off = ""; // ends the style of the line
    private char _high; // first half of a surrogate pair

    /// <summary>Writes to <paramref name="output"/>, which must be a terminal.</summary>
    public MarkdownStream(TextWriter output, Func<int> width)
    {
        _output = output;
        _width = width;
        _wrap = new WordWrap(output, width);
        _inline = new InlineMarkdown(_wrap);
    }

    /// <summary>More text.</summary>
    public void Write(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (char.IsHighSurrogate(c))
                _high = c;
            else if (char.IsLowSurrogate(c))
                Put(_high == 0 ? Rune.ReplacementChar : new Rune(_high, c));
            else if (c == '\t')
                PutTab();
            else if (c == '\n' || !TextWidth.IsControl(c))
                Put(new Rune(c));
            if (!char.IsHighSurrogate(c))
                _high = '\0';
        }
        _output.Flush();
    }

    /// <summary>The text has ended: leaves the cursor at the start of a line, with no style on.</summary>
    public void End()
    {
        if (_start.Length > 0 || _kind != LineKind.Unknown)
            EndLine();
        if (_table.IsOpen)
            _table.WriteTo(_output, _width());
        _fence = null;
        _output.Flush();
    }

    private void Put(Rune rune)
    {
        if (rune.Value == '\n')
        {
            EndLine();
            return;
        }
        if (_kind != LineKind.Unknown)
        {
            PutInLine(rune);
            return;
        }
        _start.Append(rune.ToString());
        var line = _start.ToString();
        (_kind, var length) = LineKinds.Of(line, _fence);
        if (_kind != LineKind.Unknown)
            BeginLine(line, length);
    }

    private void PutTab()
    {
        for (var i = _fence is null ? 1 : 4; i > 0; i--)
            Put(new Rune(' '));
    }

    private void PutInLine(Rune rune)
    {
        if (_kind is LineKind.Table or LineKind.Fence)
            _start.Append(rune.ToString());
        else if (_kind == LineKind.Code)
            _wrap.Fixed(rune.ToString());
        else
            _inline.Put(rune);
    }

    /// <summary>The kind of the line is known: writes its mark, then what came after it.</summary>
    /// <param name="line">The line so far.</param>
    /// <param name="length">Characters of the mark.</param>
    private void BeginLine(string line, int length)
    {
        if (_table.IsOpen && (_kind != LineKind.Table || _table.IsFull))
            _table.WriteTo(_output, _width());
        if (_kind is LineKind.Table or LineKind.Fence)
            return;
        _start.Clear();
        var indent = new string(' ', line.Length - line.TrimStart(' ').Length);
        switch (_kind)
        {
            case LineKind.Heading:
                _output.Write(length == 2 ? "\e[1;4m" : "\e[1m"); // "# " is underlined as well
                _off = "\e[22;24m";
                break;
            case LineKind.Quote:
                _wrap.Fixed("│ ");
                _wrap.Hang = "│ ";
                break;
            case LineKind.Bullet:
                _wrap.Fixed($"{indent}• ");
                _wrap.Hang = indent + "  ";
                break;
            case LineKind.Number:
                _wrap.Fixed(line[..length]);
                _wrap.Hang = new string(' ', length);
                break;
            case LineKind.Code:
                _output.Write("\e[36m");
                _off = "\e[39m";
                break;
            default:
                _wrap.Hang = indent;
                break;
        }
        foreach (var rune in line[length..].EnumerateRunes())
            PutInLine(rune);
    }

    private void EndLine()
    {
        var line = _start.ToString();
        if (_kind == LineKind.Unknown)
            _kind = LineKinds.OfWhole(line, _fence);
        _start.Clear();
        switch (_kind)
        {
            case LineKind.Table:
                _table.Add(line);
                _kind = LineKind.Unknown;
                return;
            case LineKind.Fence:
                if (_table.IsOpen)
                    _table.WriteTo(_output, _width());
                WriteFence(line.Trim());
                break;
            case LineKind.Rule:
                _output.Write($"\e[2m{new string('─', Math.Clamp(_width() - 1, 1, 40))}\e[22m");
                break;
            default:
                if (line.Length > 0)
                    BeginLine(line, 0);
                else if (_table.IsOpen)
                    _table.WriteTo(_output, _width());
                break;
        }
        _inline.End();
        _wrap.FlushWord();
        _output.Write(_off);
        _wrap.EndLine();
        (_off, _kind) = ("", LineKind.Unknown);
    }

    private void WriteFence(string line)
    {
        var ticks = line.Length - line.TrimStart(line[0]).Length;
        var language = _fence is null ? line[ticks..].Trim() : "";
        _fence = _fence is null ? line[..ticks] : null;
        _output.Write(language.Length > 0 ? $"\e[2m── {language}\e[22m" : "\e[2m──\e[22m");
    }
}
