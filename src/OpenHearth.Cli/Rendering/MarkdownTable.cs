using System.Text;

namespace OpenHearth.Cli.Rendering;

/// <summary>A table of Markdown, laid out once its last row is known.</summary>
internal sealed class MarkdownTable
{
    private const int LargestTable = 500; // rows; what is longer is written as it came

    private readonly List<string> _lines = [];

    /// <summary>True while rows wait to be laid out.</summary>
    public bool IsOpen => _lines.Count > 0;

    /// <summary>True when no more rows should be kept waiting.</summary>
    public bool IsFull => _lines.Count >= LargestTable;

    /// <summary>One line that begins with a bar.</summary>
    public void Add(string line) => _lines.Add(line.Trim());

    /// <summary>Writes the rows in columns, or as they came when they are no table or too wide.</summary>
    public void WriteTo(TextWriter output, int width)
    {
        var rows = _lines.ConvertAll(Cells);
        var isTable = rows.Count >= 2 && rows[1].All(cell => cell.Length > 0 && cell.AsSpan().Trim("-: ").IsEmpty);
        var columns = rows.Max(row => row.Length);
        if (isTable)
            rows.RemoveAt(1);
        var cells = rows.ConvertAll(row => Array.ConvertAll(row, Styled));
        var widths = Enumerable.Range(0, columns).Select(c => cells.Max(row => c < row.Length ? row[c].Width : 0)).ToArray();
        if (!isTable || widths.Sum() + 3 * (columns - 1) >= width)
        {
            _lines.ForEach(output.WriteLine);
        }
        else
        {
            for (var r = 0; r < cells.Count; r++)
            {
                output.WriteLine(Row(cells[r], widths, header: r == 0));
                if (r == 0)
                    output.WriteLine($"\e[2m{string.Join("─┼─", widths.Select(w => new string('─', w)))}\e[22m");
            }
        }
        _lines.Clear();
    }

    private static string Row((string Text, int Width)[] row, int[] widths, bool header)
    {
        var cells = widths.Select((w, c) => c < row.Length ? (header ? $"\e[1m{row[c].Text}\e[22m" : row[c].Text) + new string(' ', w - row[c].Width) : new string(' ', w));
        return string.Join(" \e[2m│\e[22m ", cells).TrimEnd();
    }

    private static string[] Cells(string line)
    {
        var cells = new List<string>();
        var cell = new StringBuilder();
        for (var i = 1; i < line.Length; i++)
        {
            if (line[i] == '|')
            {
                cells.Add(cell.ToString().Trim());
                cell.Clear();
            }
            else
            {
                if (line[i] == '\\' && i + 1 < line.Length && line[i + 1] == '|')
                    i++;
                cell.Append(line[i]);
            }
        }
        if (!string.IsNullOrWhiteSpace(cell.ToString()))
            cells.Add(cell.ToString().Trim());
        return [.. cells];
    }

    private static (string Text, int Width) Styled(string cell)
    {
        using var text = new StringWriter();
        var wrap = new WordWrap(text, () => int.MaxValue);
        var inline = new InlineMarkdown(wrap);
        foreach (var rune in cell.EnumerateRunes())
            inline.Put(rune);
        inline.End();
        wrap.FlushWord();
        return (text.ToString(), wrap.Column);
    }
}
