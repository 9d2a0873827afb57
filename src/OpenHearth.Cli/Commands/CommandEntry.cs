using System.CommandLine;

namespace OpenHearth.Cli.Commands;

/// <summary>One command: how it is called, and what it does.</summary>
/// <param name="Name">What to type.</param>
/// <param name="Summary">One line for the list of commands.</param>
/// <param name="Examples">Command lines that work as they stand.</param>
/// <param name="Declare">Adds arguments and options to the command and returns its body, which returns the exit code.</param>
internal sealed record CommandEntry(string Name, string Summary, string[] Examples, Func<Command, CommonOptions, Func<Invocation, int>> Declare);
