using System.Runtime.InteropServices;

namespace OpenHearth.Engine;

/// <summary>The computer that this process runs on. Thread-safe.</summary>
public static class Computer
{
    private static readonly Lazy<string> Name = new(FindCpuName);

    /// <summary>What the CPU calls itself, or its kind where it does not say.</summary>
    public static string CpuName => Name.Value;

    /// <summary>Cores that this process may use: affinity and the quota of its container count.</summary>
    public static int Cores => Environment.ProcessorCount;

    /// <summary>Bytes of memory that this process may use.</summary>
    public static long MemoryBytes => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    private static string FindCpuName()
    {
        try
        {
            // Linux, x64; Arm kernels name no model.
            if (OperatingSystem.IsLinux())
            {
                foreach (var line in File.ReadLines("/proc/cpuinfo"))
                {
                    if (line.StartsWith("model name", StringComparison.Ordinal) && line.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon)
                        return line[(colon + 1)..].Trim();
                }
            }
        }
        catch (IOException)
        {
            // A sandbox may hide it.
        }
        var named = Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER"); // set by Windows
        return string.IsNullOrEmpty(named) ? RuntimeInformation.ProcessArchitecture.ToString() : named;
    }
}
