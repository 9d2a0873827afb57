using System.Runtime.Intrinsics.X86;

namespace OpenHearth.Kernels.Cpu;

/// <summary>Cores and caches.</summary>
internal static class CpuTopology
{
    private const int DefaultCache = 1 << 20;

    /// <summary>
    /// Cores that this process may use. The runtime's count respects affinity and container limits but takes
    /// hyperthreads for cores; two of a pair share the units that products need.
    /// </summary>
    public static int UsableCores()
    {
        var logical = Environment.ProcessorCount;
        if (!OperatingSystem.IsLinux())
            return logical;
        try
        {
            var allowed = AllowedProcessors();
            var cores = allowed.Select(cpu => File.ReadAllText($"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list").Trim()).Distinct().Count();
            return Math.Clamp(cores, 1, logical);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            return logical;
        }
    }

    /// <summary>Bytes of the second-level cache of one core.</summary>
    public static int SecondLevelCacheBytes()
    {
        if (!X86Base.IsSupported)
            return DefaultCache;
        // Intel and AMD describe caches in the same way under different numbers.
        var (_, vendor, _, _) = X86Base.CpuId(0, 0);
        var leaf = vendor == 0x68747541 ? unchecked((int)0x8000001D) : 4; // "Auth"enticAMD
        for (var i = 0; i < 8; i++)
        {
            var (eax, ebx, ecx, _) = X86Base.CpuId(leaf, i);
            var (type, level) = (eax & 31, eax >> 5 & 7);
            if (type == 0)
                break;
            if (type != 2 && level == 2)
            {
                var bytes = ((ebx >> 22 & 1023) + 1L) * ((ebx >> 12 & 1023) + 1) * ((ebx & 4095) + 1) * (ecx + 1L);
                return (int)Math.Clamp(bytes, 128 << 10, 16 << 20);
            }
        }
        return DefaultCache;
    }

    private static List<int> AllowedProcessors()
    {
        const string name = "Cpus_allowed_list:";
        var line = File.ReadLines("/proc/self/status").FirstOrDefault(text => text.StartsWith(name, StringComparison.Ordinal))
            ?? throw new FormatException("/proc/self/status names no processors.");
        var result = new List<int>();
        foreach (var range in line[name.Length..].Trim().Split(','))
        {
            var ends = range.Split('-');
            var (first, last) = (int.Parse(ends[0]), int.Parse(ends[^1]));
            for (var cpu = first; cpu <= last; cpu++)
                result.Add(cpu);
        }
        return result;
    }
}
