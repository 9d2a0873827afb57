using System.Text;
using OpenHearth.Cli.Rendering;

namespace OpenHearth.Cli.Chat;

/// <summary>How the editing of a line ended.</summary>
internal enum LineOutcome
{
    /// <summary>Enter.</summary>
    Line,

    /// <summary>Ctrl-C.</summary>
    Interrupted,

    /// <summary>Ctrl-D on an empty line.</summary>
    EndOfInput,
}

/// <summary>
/// Reads one input on a terminal with the usual editing keys, history and paste. A paste may hold line ends
/// (bracketed paste, xterm's control sequences), as may what Alt-Enter makes.
/// </summary>
/// <param name="terminal">Keys come from here, drawing goes there.</param>
/// <param name="history">For the arrow keys; the caller adds to it.</param>
/// <param name="completions">What Tab completes: whole inputs.</param>
internal sealed class LineEditor(Terminal terminal, History history, IReadOnlyList<string> completions)
{
    private const string PasteOn = "\e[?2004h", PasteOff = "\e[?2004l";
    private const int LongestSequence = 8;

    private EditBuffer _buffer = new();
    private string _prompt = "";
    private int _row; // where the cursor is on screen, counted from the prompt's row
    private bool _pasting;

    /// <summary>Reads until Enter, Ctrl-C, or Ctrl-D on an empty line.</summary>
    public (LineOutcome Outcome, string Text) Read(string prompt)
    {
        (_buffer, _prompt, _row, _pasting) = (new EditBuffer(), prompt, 0, false);
        terminal.TakeControlC(true);
        terminal.Out.Write(PasteOn);
        try
        {
            Draw();
            while (true)
            {
                if (Apply(terminal.ReadKey()) is { } outcome)
                {
                    while (_buffer.LineDown())
                    {
                    }
                    _buffer.LineEnd();
                    Draw();
                    terminal.Out.Write("\r\n");
                    return (outcome, _buffer.Text);
                }
                if (!terminal.KeyWaits())
                    Draw();
            }
        }
        finally
        {
            terminal.Out.Write(PasteOff);
            terminal.Out.Flush();
            terminal.TakeControlC(false);
        }
    }

    private LineOutcome? Apply(ConsoleKeyInfo key)
    {
        if (key.Key == ConsoleKey.Escape)
            ReadSequence();
        else if (_pasting)
            Insert(key.Key == ConsoleKey.Enter ? '\n' : key.KeyChar);
        else if (key.Modifiers.HasFlag(ConsoleModifiers.Control) && key.Key != ConsoleKey.Enter)
            return ApplyControl(key);
        else if (key.Modifiers.HasFlag(ConsoleModifiers.Alt))
            ApplyAlt(key);
        else
            return ApplyPlain(key);
        return null;
    }

    private LineOutcome? ApplyPlain(ConsoleKeyInfo key)
    {
        switch (key.Key)
        {
            case ConsoleKey.Enter: return LineOutcome.Line;
            case ConsoleKey.Backspace: _buffer.Backspace(); break;
            case ConsoleKey.Delete: _buffer.Delete(); break;
            case ConsoleKey.LeftArrow: _buffer.Left(); break;
            case ConsoleKey.RightArrow: _buffer.Right(); break;
            case ConsoleKey.Home: _buffer.LineStart(); break;
            case ConsoleKey.End: _buffer.LineEnd(); break;
            case ConsoleKey.UpArrow: Up(); break;
            case ConsoleKey.DownArrow: Down(); break;
            case ConsoleKey.Tab: Complete(); break;
            default: Insert(key.KeyChar); break;
        }
        return null;
    }

    private LineOutcome? ApplyControl(ConsoleKeyInfo key)
    {
        switch (key.Key)
        {
            case ConsoleKey.C: return LineOutcome.Interrupted;
            case ConsoleKey.D when _buffer.Length == 0: return LineOutcome.EndOfInput;
            case ConsoleKey.D: _buffer.Delete(); break;
            case ConsoleKey.A: _buffer.LineStart(); break;
            case ConsoleKey.E: _buffer.LineEnd(); break;
            case ConsoleKey.B: _buffer.Left(); break;
            case ConsoleKey.F: _buffer.Right(); break;
            case ConsoleKey.H: _buffer.Backspace(); break;
            case ConsoleKey.K: _buffer.DeleteToLineEnd(); break;
            case ConsoleKey.U: _buffer.DeleteToLineStart(); break;
            case ConsoleKey.W or ConsoleKey.Backspace: _buffer.DeleteWordLeft(); break;
            case ConsoleKey.LeftArrow: _buffer.WordLeft(); break;
            case ConsoleKey.RightArrow: _buffer.WordRight(); break;
            case ConsoleKey.P or ConsoleKey.UpArrow: Up(); break;
            case ConsoleKey.N or ConsoleKey.DownArrow: Down(); break;
            case ConsoleKey.L:
                terminal.Out.Write("\e[2J\e[H");
                _row = 0;
                break;
            default:
                break;
        }
        return null;
    }

    private void ApplyAlt(ConsoleKeyInfo key)
    {
        switch (key.Key)
        {
            case ConsoleKey.Enter: _buffer.Insert("\n"); break;
            case ConsoleKey.B or ConsoleKey.LeftArrow: _buffer.WordLeft(); break;
            case ConsoleKey.F or ConsoleKey.RightArrow: _buffer.WordRight(); break;
            case ConsoleKey.D: _buffer.DeleteWordRight(); break;
            case ConsoleKey.Backspace: _buffer.DeleteWordLeft(); break;
            default: Insert(key.KeyChar); break; // AltGr on some keyboards
        }
    }

    /// <summary>What follows an escape: the marks around a paste; everything else is passed over.</summary>
    private void ReadSequence()
    {
        var sequence = new StringBuilder();
        while (sequence.Length < LongestSequence && terminal.KeyWaits())
        {
            var c = terminal.ReadKey().KeyChar;
            sequence.Append(c);
            if (c == '~' || (sequence.Length > 1 && char.IsAsciiLetter(c)) || (sequence.Length == 1 && c is not ('[' or 'O')))
                break;
        }
        _pasting = sequence.ToString() switch { "[200~" => true, "[201~" => false, _ => _pasting };
    }

    private void Insert(char c)
    {
        if (c == '\t')
            _buffer.Insert("    ");
        else if (c == '\n' || !TextWidth.IsControl(c))
            _buffer.Insert(c.ToString());
    }

    private void Up()
    {
        if (!_buffer.LineUp() && history.Older(_buffer.Text) is { } older)
            _buffer.Set(older);
    }

    private void Down()
    {
        if (!_buffer.LineDown() && history.Newer() is { } newer)
            _buffer.Set(newer);
    }

    private void Complete()
    {
        var text = _buffer.Text;
        var fitting = completions.Where(candidate => candidate.StartsWith(text, StringComparison.Ordinal)).ToList();
        if (text.Length == 0 || fitting.Count == 0)
            return;
        var common = fitting[0].Length;
        foreach (var other in fitting)
            common = Math.Min(common, fitting[0].AsSpan().CommonPrefixLength(other));
        _buffer.Set(fitting[0][..common]);
    }

    /// <summary>Draws the input anew from the prompt's row down; rows are broken here, never by the terminal.</summary>
    private void Draw()
    {
        var columns = Math.Max(20, terminal.Width()) - 1;
        var output = new StringBuilder();
        if (_row > 0)
            output.Append($"\e[{_row}A");
        output.Append("\r\e[J").Append(_prompt);
        var indent = TextWidth.Of(_prompt);
        var (row, column, cursorRow, cursorColumn) = (0, indent, 0, indent);
        var text = _buffer.Text;
        for (var i = 0; i <= text.Length; i++)
        {
            if (i == _buffer.Cursor)
                (cursorRow, cursorColumn) = (row, column);
            if (i == text.Length)
                break;
            if (text[i] == '\n')
            {
                output.Append("\r\n").Append(' ', indent);
                (row, column) = (row + 1, indent);
                continue;
            }
            Rune.DecodeFromUtf16(text.AsSpan(i), out var rune, out var used);
            var width = TextWidth.Of(rune);
            if (column + width > columns)
            {
                output.Append("\r\n").Append(' ', indent);
                (row, column) = (row + 1, indent);
                if (i == _buffer.Cursor)
                    (cursorRow, cursorColumn) = (row, column);
            }
            output.Append(rune.ToString());
            column += width;
            i += used - 1;
        }
        if (row > cursorRow)
            output.Append($"\e[{row - cursorRow}A");
        output.Append($"\e[{cursorColumn + 1}G");
        _row = cursorRow;
        terminal.Out.Write(output);
        terminal.Out.Flush();
    }
}
