using System.CommandLine;
using System.CommandLine.Invocation;
using System.Reflection;
using OpenHearth.Cli.Commands;

namespace OpenHearth.Cli;

/// <summary><c>hearth --version</c></summary>
internal sealed class PrintVersion(CommonOptions options) : SynchronousCommandLineAction
{
    /// <summary>Version of this program, without the build's commit.</summary>
    public static string Version { get; } =
        typeof(PrintVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        parseResult.InvocationConfiguration.Output.WriteLine(parseResult.GetValue(options.Json) ? $$"""{"version":"{{Version}}"}""" : $"hearth {Version}");
        return ExitCode.Done;
    }
}
