using System.Text;

namespace OpenHearth.Cli.Tests;

/// <summary>A terminal of strings, and one command line run on it in this process.</summary>
internal sealed class FakeTerminal
{
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _error = new();
    private readonly Queue<ConsoleKeyInfo> _keys = [];

    public string Input { get; init; } = "";

    /// <summary>Instead of <see cref="Input"/>.</summary>
    public byte[]? InputBytes { get; init; }

    public bool IsTerminal { get; init; }

    public int Width { get; set; } = 80;

    public Dictionary<string, string> Variables { get; } = [];

    public string Output => _output.ToString();

    public string Error => _error.ToString();

    public int Run(params string[] args) => CommandLine.Run(args, ToTerminal());

    public Terminal ToTerminal() => new()
    {
        Out = new StringWriter(_output) { NewLine = "\n" },
        Error = new StringWriter(_error) { NewLine = "\n" },
        OpenInput = () => new MemoryStream(InputBytes ?? Encoding.UTF8.GetBytes(Input)),
        InputIsTerminal = IsTerminal,
        OutputIsTerminal = IsTerminal,
        Variable = Variables.GetValueOrDefault,
        Width = () => Width,
        ReadKey = () => _keys.TryDequeue(out var key) ? key : throw new InvalidOperationException("The test typed too little."),
        KeyWaits = () => _keys.Count > 0,
    };

    /// <summary>Types characters; Enter for a line end, Escape for \e.</summary>
    public FakeTerminal Type(string text)
    {
        foreach (var c in text)
            _keys.Enqueue(c switch
            {
                '\n' => new ConsoleKeyInfo('\r', ConsoleKey.Enter, false, false, false),
                '\e' => new ConsoleKeyInfo(c, ConsoleKey.Escape, false, false, false),
                _ => new ConsoleKeyInfo(c, ConsoleKey.None, false, false, false),
            });
        return this;
    }

    public FakeTerminal Press(ConsoleKey key, bool control = false, bool alt = false, int times = 1)
    {
        for (var i = 0; i < times; i++)
            _keys.Enqueue(new ConsoleKeyInfo('\0', key, false, alt, control));
        return this;
    }
}
