using OpenHearth.Engine;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Templates;

namespace OpenHearth.Cli;

/// <summary>A command can't go on. The message says what, why and what to do, in one line.</summary>
internal sealed class Failure(int exitCode, string message, Exception? cause = null) : Exception(message, cause)
{
    private const int DiskFull = 28; // ENOSPC on Linux and macOS
    private const string FormatAdvice = "A model is a whole GGUF file or a folder of safetensors files; fetch or convert it again if it should be one.";

    /// <summary>What the process returns.</summary>
    public int ExitCode { get; } = exitCode;

    /// <summary>The command line was wrong.</summary>
    public static Failure WrongCommandLine(string message) => new(Cli.ExitCode.WrongCommandLine, message);

    /// <summary>A file or model that isn't there.</summary>
    public static Failure NotFound(string message) => new(Cli.ExitCode.NotFound, message);

    /// <summary>Any other reason.</summary>
    public static Failure Because(string message, Exception? cause = null) => new(Cli.ExitCode.Failed, message, cause);

    /// <summary>Turns whatever a command threw into a message and an exit code.</summary>
    public static Failure From(Exception thrown) => thrown switch
    {
        Failure failure => failure,
        OperationCanceledException => new Failure(Cli.ExitCode.Cancelled, "Cancelled.", thrown),
        FileNotFoundException { FileName: { Length: > 0 } file } => new Failure(Cli.ExitCode.NotFound, $"There is no file {file}.", thrown),
        FileNotFoundException or DirectoryNotFoundException => new Failure(Cli.ExitCode.NotFound, thrown.Message, thrown),
        ContextOverflowException => Because(thrown.Message, thrown),
        ModelFormatException => Because(thrown.Message.Contains("docs/", StringComparison.Ordinal) ? thrown.Message : $"{thrown.Message.TrimEnd('.')}. {FormatAdvice}", thrown),
        TemplateException template => Because(template.Report, thrown),
        ArgumentException => Because(WithoutParameter(thrown.Message), thrown),
        NotSupportedException or NotFiniteNumberException => Because(thrown.Message, thrown),
        UnauthorizedAccessException => Because($"{thrown.Message} Check the permissions of the file.", thrown),
        IOException { HResult: DiskFull } => Because($"{thrown.Message.TrimEnd('.')}. Make room and give the same command again.", thrown),
        IOException => Because(thrown.Message, thrown),
        OutOfMemoryException => Because("There is not enough memory. Give a smaller --ctx, close other programs, or use a smaller model.", thrown),
        _ => Because($"Unexpected: {thrown.Message} ({thrown.GetType().Name}). Please report it with what --verbose shows.", thrown),
    };

    /// <summary>.NET appends the name of a parameter, which says nothing to a user.</summary>
    private static string WithoutParameter(string message)
    {
        var end = message.IndexOf(" (Parameter '", StringComparison.Ordinal);
        return end < 0 ? message.ReplaceLineEndings(" ") : message[..end];
    }
}
