namespace OpenHearth.Cli;

/// <summary>What the process returns.</summary>
internal static class ExitCode
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int WrongCommandLine = 2;
    public const int NotFound = 3;
    public const int Cancelled = 130;
}
