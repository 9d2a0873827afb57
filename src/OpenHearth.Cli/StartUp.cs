using System.Diagnostics;
using System.Globalization;
using System.Runtime;

namespace OpenHearth.Cli;

/// <summary>How long this process has run, and how much of that the JIT took.</summary>
internal static class StartUp
{
    /// <summary>One line for the log: <c>412 ms after the start of the process; JIT 57 ms, 183 methods</c>.</summary>
    public static string Report()
    {
        using var process = Process.GetCurrentProcess();
        var elapsed = DateTime.UtcNow - process.StartTime.ToUniversalTime();
        return string.Create(CultureInfo.InvariantCulture,
            $"{elapsed.TotalMilliseconds:F0} ms after the start of the process; JIT {JitInfo.GetCompilationTime().TotalMilliseconds:F0} ms, {JitInfo.GetCompiledMethodCount()} methods");
    }
}
