using OpenHearth.Kernels.Cpu;

namespace OpenHearth.Engine;

/// <summary>The computer that this process runs on. Thread-safe.</summary>
public static class Computer
{
    /// <summary>What the CPU calls itself, or its kind where it does not say.</summary>
    /// <exception cref="InvalidOperationException">HEARTH_CPU names no level, or one that this processor does not have.</exception>
    public static string CpuName => CpuFeatures.Current.Name;

    /// <summary>Extensions of the instruction set that were found.</summary>
    /// <inheritdoc cref="CpuName" path="/exception"/>
    public static IReadOnlyList<string> Instructions => CpuFeatures.Current.Instructions;

    /// <summary>The level of instructions in use: <c>scalar</c>, <c>vector</c>, <c>avx2</c>, <c>avx512</c> or <c>amx</c>; HEARTH_CPU may lower it.</summary>
    /// <inheritdoc cref="CpuName" path="/exception"/>
    public static string Level => NameOf(CpuFeatures.Current.Level);

    /// <summary>The highest level that the processor has.</summary>
    /// <inheritdoc cref="CpuName" path="/exception"/>
    public static string HighestLevel => NameOf(CpuFeatures.Current.Highest);

    /// <summary>Cores that this process may use: affinity and the quota of its container count, two hyperthreads are one core.</summary>
    /// <inheritdoc cref="CpuName" path="/exception"/>
    public static int Cores => CpuFeatures.Current.Cores;

    /// <summary>Bytes of memory that this process may use.</summary>
    public static long MemoryBytes => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    private static string NameOf(CpuLevel level) => Enum.GetName(level)!.ToLowerInvariant();
}
