using System.CommandLine;

namespace OpenHearth.Cli.Commands;

/// <summary><c>hearth info</c>: this computer, as the program sees it.</summary>
internal static class InfoCommand
{
    public static CommandEntry Entry { get; } = new("info", "This computer and this program.", ["hearth info", "hearth info --measure --json"], Declare);

    private static Func<Invocation, int> Declare(Command command, CommonOptions options)
    {
        return run => { run.Out.WriteLine(run.Home); return 0; };
    }
}
