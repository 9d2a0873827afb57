using Spectre.Console;

namespace OpenHearth.Cli.Rendering;

/// <summary>Rows and columns for people.</summary>
internal static class Tables
{
    /// <summary>Writes a table; without colours and lines that a pipe can't take.</summary>
    public static void Write(Terminal terminal, string title, string[] headings, IReadOnlyList<string[]> rows)
    {
        using var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = terminal.Styled ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = terminal.Styled ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(text),
        });
        console.Profile.Width = terminal.OutputIsTerminal ? Math.Max(40, terminal.Width()) : int.MaxValue / 2;
        console.Profile.Capabilities.Unicode = true;
        var table = new Table { Border = terminal.OutputIsTerminal ? TableBorder.Rounded : TableBorder.None, ShowHeaders = headings.Any(heading => heading.Length > 0) };
        for (var i = 0; i < headings.Length; i++)
            table.AddColumn(new TableColumn(new Text(headings[i])) { Alignment = i > 0 && rows.All(row => IsNumber(row[i])) ? Justify.Right : Justify.Left });
        foreach (var row in rows)
            table.AddRow([.. row.Select(cell => new Text(Printable(cell)))]);
        if (title.Length > 0)
            terminal.Out.WriteLine(title);
        console.Write(table);
        foreach (var line in text.ToString().AsSpan().TrimEnd('\n').EnumerateLines())
            terminal.Out.WriteLine(line.TrimEnd().ToString());
    }

    private static bool IsNumber(string cell) => cell.All(c => char.IsAsciiDigit(c) || c is '.' or ',' or '-' or '%');

    /// <summary>What comes from a file must not command the terminal.</summary>
    private static string Printable(string cell) => string.Concat(cell.Select(c => TextWidth.IsControl(c) && c != '\n' ? '\uFFFD' : c));
}
