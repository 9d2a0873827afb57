using System.Text;

namespace OpenHearth.Cli.Rendering;

/// <summary>Writes text word by word and starts a new line before a word that does not fit.</summary>
/// <param name="output">Where to write; carries escape codes.</param>
/// <param name="width">Columns of the screen now.</param>
internal sealed class WordWrap(TextWriter output, Func<int> width)
{
    private readonly StringBuilder _word = new();
    private int _wordWidth;
    private int _spaces;

    /// <summary>Column where the next character goes.</summary>
    public int Column { get; private set; }

    /// <summary>What a wrapped line begins with.</summary>
    public string Hang { get; set; } = "";

    /// <summary>One character of text.</summary>
    public void Put(Rune rune)
    {
        var columns = TextWidth.Of(rune);
        if (rune.Value == ' ')
        {
            FlushWord();
            _spaces++;
            return;
        }
        // Between wide characters a line may break anywhere: Chinese and Japanese have no spaces.
        if (columns == 2)
            FlushWord();
        _word.Append(rune.ToString());
        _wordWidth += columns;
        if (columns == 2)
            FlushWord();
    }

    /// <summary>Text that takes no room: an escape code, kept with the word that follows or that it ends.</summary>
    public void Style(string code) => _word.Append(code);

    /// <summary>Text that is not wrapped: a bullet, a quote's bar.</summary>
    public void Fixed(string text)
    {
        FlushWord();
        WriteSpaces();
        output.Write(text);
        Column += TextWidth.Of(text);
    }

    /// <summary>Writes the word that is being collected.</summary>
    public void FlushWord()
    {
        if (_word.Length == 0)
            return;
        var limit = Math.Max(20, width()) - 1;
        if (_wordWidth > 0 && Column + _spaces + _wordWidth > limit && Column > TextWidth.Of(Hang))
        {
            output.Write('\n');
            output.Write(Hang);
            Column = TextWidth.Of(Hang);
            _spaces = 0;
        }
        WriteSpaces();
        output.Write(_word);
        Column += _wordWidth;
        _word.Clear();
        _wordWidth = 0;
    }

    /// <summary>Ends the line; spaces at its end are dropped.</summary>
    public void EndLine()
    {
        FlushWord();
        _spaces = 0;
        output.Write('\n');
        Column = 0;
        Hang = "";
    }

    private void WriteSpaces()
    {
        for (; _spaces > 0; _spaces--, Column++)
            output.Write(' ');
    }
}
