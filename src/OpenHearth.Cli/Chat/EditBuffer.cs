using System.Globalization;
using System.Text;

namespace OpenHearth.Cli.Chat;

/// <summary>Text that is being typed and the place of the cursor; moves by what a reader sees as one character.</summary>
internal sealed class EditBuffer
{
    private readonly StringBuilder _text = new();

    /// <summary>Index into the text, never inside a character.</summary>
    public int Cursor { get; private set; }

    /// <summary>Number of UTF-16 units.</summary>
    public int Length => _text.Length;

    /// <summary>What has been typed.</summary>
    public string Text => _text.ToString();

    /// <summary>Puts text at the cursor.</summary>
    public void Insert(string text)
    {
        _text.Insert(Cursor, text);
        Cursor += text.Length;
    }

    /// <summary>Replaces everything; the cursor goes to the end.</summary>
    public void Set(string text)
    {
        _text.Clear().Append(text);
        Cursor = text.Length;
    }

    public void Left() => Cursor = Before(Cursor);

    public void Right() => Cursor = After(Cursor);

    public void WordLeft() => Cursor = WordBefore();

    public void WordRight() => Cursor = WordAfter();

    public void LineStart() => Cursor = LineStartAt(Cursor);

    public void LineEnd() => Cursor = LineEndAt(Cursor);

    public void Backspace() => Remove(Before(Cursor), Cursor);

    public void Delete() => Remove(Cursor, After(Cursor));

    public void DeleteWordLeft() => Remove(WordBefore(), Cursor);

    public void DeleteWordRight() => Remove(Cursor, WordAfter());

    public void DeleteToLineStart() => Remove(LineStartAt(Cursor), Cursor);

    public void DeleteToLineEnd() => Remove(Cursor, LineEndAt(Cursor));

    /// <summary>Moves to the line above; false on the first.</summary>
    public bool LineUp()
    {
        var start = LineStartAt(Cursor);
        if (start == 0)
            return false;
        var above = LineStartAt(start - 1);
        Cursor = Math.Min(above + (Cursor - start), start - 1);
        return true;
    }

    /// <summary>Moves to the line below; false on the last.</summary>
    public bool LineDown()
    {
        var end = LineEndAt(Cursor);
        if (end == Length)
            return false;
        Cursor = Math.Min(end + 1 + (Cursor - LineStartAt(Cursor)), LineEndAt(end + 1));
        return true;
    }

    private void Remove(int start, int end)
    {
        _text.Remove(start, end - start);
        Cursor = start;
    }

    private int Before(int index)
    {
        if (index == 0)
            return 0;
        var text = Text;
        var start = LineStartAt(index - 1);
        var last = start;
        for (var at = start; at < index; at += StringInfo.GetNextTextElementLength(text, at))
            last = at;
        return last;
    }

    private int After(int index) => index >= Length ? Length : index + StringInfo.GetNextTextElementLength(Text, index);

    private int WordBefore()
    {
        var at = Cursor;
        while (at > 0 && !char.IsLetterOrDigit(_text[at - 1]))
            at--;
        while (at > 0 && char.IsLetterOrDigit(_text[at - 1]))
            at--;
        return at;
    }

    private int WordAfter()
    {
        var at = Cursor;
        while (at < Length && !char.IsLetterOrDigit(_text[at]))
            at++;
        while (at < Length && char.IsLetterOrDigit(_text[at]))
            at++;
        return at;
    }

    private int LineStartAt(int index)
    {
        while (index > 0 && _text[index - 1] != '\n')
            index--;
        return index;
    }

    private int LineEndAt(int index)
    {
        while (index < Length && _text[index] != '\n')
            index++;
        return index;
    }
}
