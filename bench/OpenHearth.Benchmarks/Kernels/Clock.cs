using System.Diagnostics;
using System.Runtime.InteropServices;

namespace OpenHearth.Benchmarks.Kernels;

/// <summary>Two ways to take the time.</summary>
internal static partial class Clock
{
    private const int ThreadCpuTime = 3; // CLOCK_THREAD_CPUTIME_ID

    /// <summary>What a user waits.</summary>
    public static TimeSpan Wall() => Stopwatch.GetElapsedTime(0);

    /// <summary>What this thread ran: still of use while other processes want the same cores, though not the same memory. Linux only.</summary>
    public static TimeSpan Thread()
    {
        _ = GetTime(ThreadCpuTime, out var time);
        return TimeSpan.FromTicks(time.Seconds * TimeSpan.TicksPerSecond + time.Nanoseconds / 100);
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, out TimeSpec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
