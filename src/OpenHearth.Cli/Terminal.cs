using System.Text;
using Microsoft.Win32.SafeHandles;
using Spectre.Console;

namespace OpenHearth.Cli;

/// <summary>Where a command reads and writes: the streams of the process, or strings in a test.</summary>
internal sealed class Terminal
{
    private const int DefaultWidth = 80;

    /// <summary>Results, and nothing else.</summary>
    public required TextWriter Out { get; init; }

    /// <summary>Progress, warnings, errors.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>Standard input as bytes; opened when somebody reads.</summary>
    public required Func<Stream> OpenInput { get; init; }

    /// <summary>True when a person types.</summary>
    public bool InputIsTerminal { get; init; }

    /// <summary>True when a person reads the results.</summary>
    public bool OutputIsTerminal { get; init; }

    /// <summary>True when a person reads progress.</summary>
    public bool ErrorIsTerminal { get; init; }

    /// <summary>Environment variables.</summary>
    public Func<string, string?> Variable { get; init; } = _ => null;

    /// <summary>Columns of the screen now.</summary>
    public Func<int> Width { get; init; } = () => DefaultWidth;

    /// <summary>Next key of the keyboard, not echoed.</summary>
    public Func<ConsoleKeyInfo> ReadKey { get; init; } = () => throw new InvalidOperationException("There is no keyboard.");

    /// <summary>True when a key waits to be read: more of a paste.</summary>
    public Func<bool> KeyWaits { get; init; } = () => false;

    /// <summary>Whether Ctrl-C is a key to read (true) or a signal.</summary>
    public Action<bool> TakeControlC { get; init; } = _ => { };

    /// <summary>False on an old Windows console.</summary>
    public bool TakesEscapes { get; init; } = true;

    /// <summary>True when results may carry escape codes.</summary>
    public bool Styled => OutputIsTerminal && TakesEscapes && string.IsNullOrEmpty(Variable("NO_COLOR")) && Variable("TERM") != "dumb";

    /// <summary>The terminal of this process. UTF-8 both ways, whatever the locale says.</summary>
    public static Terminal OfProcess()
    {
        var toScreen = !Console.IsOutputRedirected;
        if (OperatingSystem.IsWindows() && toScreen)
            Console.OutputEncoding = Encoding.UTF8;
        return new Terminal
        {
            Out = Writer(toScreen ? Console.OpenStandardOutput() : RedirectedOutput(), bufferSize: 1 << 14, autoFlush: false),
            Error = Writer(new UnheardStream(Console.OpenStandardError()), bufferSize: 256, autoFlush: true),
            OpenInput = Console.OpenStandardInput,
            InputIsTerminal = !Console.IsInputRedirected,
            OutputIsTerminal = toScreen,
            TakesEscapes = !OperatingSystem.IsWindows() || !toScreen || AnsiConsole.Profile.Capabilities.Ansi, // asking switches them on
            ErrorIsTerminal = !Console.IsErrorRedirected,
            Variable = Environment.GetEnvironmentVariable,
            Width = CurrentWidth,
            ReadKey = () => Console.ReadKey(intercept: true),
            KeyWaits = () => Console.KeyAvailable,
            TakeControlC = take => Console.TreatControlCAsInput = take,
        };
    }

    /// <summary>
    /// Standard output of a pipe. The console's own stream goes on in silence once the reader has left
    /// (<c>hearth run … | head</c>), and the answer would be computed to its end for nobody.
    /// </summary>
    private static Stream RedirectedOutput()
    {
        const int standardOutput = 1;
        if (OperatingSystem.IsWindows())
            return Console.OpenStandardOutput();
        try
        {
            var pipe = new FileStream(new SafeFileHandle(standardOutput, ownsHandle: false), FileAccess.Write, bufferSize: 0);
            // A file's place is shared with those that write before and after; only the console's stream moves it.
            return pipe.CanSeek ? Console.OpenStandardOutput() : pipe;
        }
        catch (Exception closed) when (closed is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return Console.OpenStandardOutput();
        }
    }

    /// <summary>All of standard input.</summary>
    public byte[] ReadInput()
    {
        using var input = OpenInput();
        using var bytes = new MemoryStream();
        input.CopyTo(bytes);
        return bytes.ToArray();
    }

    private static StreamWriter Writer(Stream stream, int bufferSize, bool autoFlush) =>
        new(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), bufferSize) { AutoFlush = autoFlush, NewLine = "\n" };

    private static int CurrentWidth()
    {
        try
        {
            return Console.WindowWidth is > 0 and var width ? width : DefaultWidth;
        }
        catch (IOException)
        {
            return DefaultWidth;
        }
    }
}
