namespace OpenHearth.Cli.Commands;

/// <summary>Every command of the program, in the order of the help.</summary>
internal static class CommandTable
{
    /// <summary>What to try first.</summary>
    public static string[] Examples { get; } =
    [
        "hearth run smollm2 \"Why is the sky blue?\"",
        "hearth run smollm2",
        "cat notes.txt | hearth run smollm2 \"Summarize:\"",
        "hearth show smollm2",
    ];

    /// <summary>The commands.</summary>
    public static IReadOnlyList<CommandEntry> Entries { get; } =
    [
        RunCommand.Entry,
        TokenizeCommand.Entry,
        DetokenizeCommand.Entry,
        TemplateCommand.Entry,
        LogitsCommand.Entry,
        EmbedCommand.Entry,
        PerplexityCommand.Entry,
        BenchCommand.Entry,
        ShowCommand.Entry,
        ConvertCommand.Entry,
        InfoCommand.Entry,
        SelftestCommand.Entry,
    ];
}
