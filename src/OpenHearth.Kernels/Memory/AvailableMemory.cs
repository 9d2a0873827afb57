using System.Globalization;
using System.Text;

namespace OpenHearth.Kernels.Memory;

/// <summary>
/// Memory that this process may use: what its container allows or the machine has, whichever is less. The runtime's own number is
/// three quarters of a container's limit, which is meant for its managed heap. Thread-safe.
/// </summary>
public static class AvailableMemory
{
    private const int LongestNumber = 64;
    private const int LongestListing = 1 << 16;

    /// <summary>Bytes; read anew at each call, for limits change.</summary>
    public static long Bytes
    {
        get
        {
            var runtime = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
            return OperatingSystem.IsLinux()
                ? Choose(runtime, Limit(Read("/proc/self/cgroup", LongestListing), "/sys/fs/cgroup"), MachineBytes(Read("/proc/meminfo", LongestListing)))
                : runtime;
        }
    }

    /// <summary>Of three numbers the one that holds.</summary>
    /// <param name="runtime">What the runtime says. Less than its share of the limit is what somebody has told it to use.</param>
    /// <param name="limit">The container's limit, or null.</param>
    /// <param name="machine">What the machine has, or null where it doesn't say.</param>
    internal static long Choose(long runtime, long? limit, long? machine) =>
        limit is { } allowed && runtime >= allowed / 4 * 3 ? Math.Min(allowed, machine ?? runtime) : runtime;

    /// <summary>The least of the limits on the way from the process's control group to the root; null where there is none.</summary>
    /// <param name="listing">What /proc/self/cgroup says. Groups that can't be seen from within a container are passed over.</param>
    /// <param name="root">Where the groups' file system is: itself for version 2, with a folder for version 1.</param>
    internal static long? Limit(string listing, string root)
    {
        long? least = null;
        foreach (var line in listing.Split('\n'))
        {
            // number:controllers:path, without controllers in version 2
            if (line.Split(':', 3) is not [var number, var controllers, var path])
                continue;
            var isSecond = number == "0" && controllers.Length == 0;
            if (!isSecond && !controllers.Split(',').Contains("memory"))
                continue;
            var (folder, file) = isSecond ? (root, "memory.max") : ($"{root}/memory", "memory.limit_in_bytes");
            // Seen from a container, a path may begin with .. and lead out of the file system.
            var group = path.StartsWith('/') && !path.Split('/').Contains("..") ? path.TrimEnd('/') : "";
            while (true)
            {
                if (Number(Read($"{folder}{group}/{file}", LongestNumber)) is { } limit)
                    least = Math.Min(least ?? limit, limit);
                if (group.Length == 0)
                    break;
                group = group[..group.LastIndexOf('/')];
            }
        }
        return least;
    }

    /// <summary>Bytes of the machine's memory, from /proc/meminfo.</summary>
    internal static long? MachineBytes(string listing)
    {
        const string name = "MemTotal:";
        var line = listing.Split('\n').FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal));
        return line?[name.Length..].Trim() is { } size && size.EndsWith(" kB", StringComparison.Ordinal) && Number(size[..^3]) is { } kilobytes && kilobytes <= long.MaxValue >> 10
            ? kilobytes << 10
            : null;
    }

    // "max", nothing, and what is no number of bytes, are no limit.
    private static long? Number(string text) =>
        long.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? number : null;

    private static string Read(string path, int most)
    {
        try
        {
            using var stream = File.OpenRead(path);
            var bytes = new byte[most];
            return Encoding.UTF8.GetString(bytes, 0, stream.ReadAtLeast(bytes, most, throwOnEndOfStream: false));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return "";
        }
    }
}
