using System.CommandLine;

namespace OpenHearth.Cli.Commands;

/// <summary>Options and arguments that several commands share, declared once.</summary>
internal sealed class CommonOptions
{
    private static readonly string[] LogLevels = ["error", "warning", "info", "debug"];

    /// <summary>Understood by every command.</summary>
    public Option<bool> Json { get; } = new("--json") { Description = "Print one JSON document and nothing else.", Recursive = true };

    /// <summary>Understood by every command.</summary>
    public Option<int?> Threads { get; } = new("--threads") { Description = "Threads that compute (default: the cores that this process may use).", HelpName = "N", Recursive = true };

    /// <summary>Understood by every command.</summary>
    public Option<bool> Offline { get; } = new("--offline") { Description = "Use no network at all (also HEARTH_OFFLINE=1).", Recursive = true };

    /// <summary>Understood by every command.</summary>
    public Option<string?> LogLevel { get; } = new("--log-level") { Description = "How much to say on standard error: error, warning, info, debug.", HelpName = "LEVEL", Recursive = true };

    /// <summary>Understood by every command.</summary>
    public Option<bool> Verbose { get; } = new("--verbose") { Description = "Say everything, with the stack trace of a failure.", Recursive = true };

    /// <summary>Which model.</summary>
    public Argument<string> Model { get; } = new("MODEL") { Description = "A model by name (smollm2), or the path of a GGUF file or a safetensors folder." };

    /// <summary>Token ids on the command line.</summary>
    public Option<string?> Ids { get; } = new("--ids") { Description = "Token ids, separated by commas.", HelpName = "1,2,3" };

    /// <summary>Many inputs, one answer each.</summary>
    public Option<string?> Batch { get; } = new("--batch") { Description = "A JSON array of inputs; prints one array of results in the same order.", HelpName = "F.json" };

    /// <summary>Text from a file.</summary>
    public Option<string?> File { get; } = new("--file") { Description = "Read the text from this file.", HelpName = "F" };

    /// <summary>Tokens of context.</summary>
    public Option<int?> Context { get; } = Counts("--ctx", "Tokens of context; more than the model was made for too, where answers may get worse.");

    /// <summary>Exact arithmetic.</summary>
    public Option<bool> Exact { get; } = new("--exact") { Description = "Keep activations in F32: slower, and the same on every CPU." };

    /// <summary>Adds what every command understands.</summary>
    public void AddTo(RootCommand root)
    {
        Threads.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !(int.TryParse(token.Value, out var threads) && threads is >= 1 and <= 1024))
                result.AddError($"--threads takes a number from 1 to 1024, not '{token.Value}'.");
        });
        LogLevel.AcceptOnlyFromAmong(LogLevels);
        foreach (var option in new Option[] { Json, Threads, Offline, LogLevel, Verbose })
            root.Add(option);
    }

    /// <summary>An option that takes a whole number from 1.</summary>
    public static Option<int?> Counts(string name, string description)
    {
        var option = new Option<int?>(name) { Description = description, HelpName = "N" };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !(int.TryParse(token.Value, out var count) && count >= 1))
                result.AddError($"{name} takes a whole number from 1, not '{token.Value}'.");
        });
        return option;
    }

    /// <summary>The level named on the command line; warnings by default.</summary>
    public LogLevel Level(ParseResult parse) =>
        parse.GetValue(Verbose) ? Cli.LogLevel.Debug
        : parse.GetValue(LogLevel) is { } name ? (LogLevel)Array.IndexOf(LogLevels, name)
        : Cli.LogLevel.Warning;
}
