using OpenHearth.Kernels.Cpu;
using OpenHearth.Kernels.Threading;

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

    /// <summary>Measures the limits of this moment, for about two seconds; needs 768 MiB of memory meanwhile.</summary>
    /// <param name="threads">Threads that read and compute, at least 1.</param>
    public static ComputerPeaks Measure(int threads)
    {
        using var pool = new ComputePool(threads);
        var peaks = CpuPeaks.Measure(pool);
        return new ComputerPeaks(threads, peaks.ReadBytes, peaks.ReadBytesOneThread, peaks.FloatMacs * 2, peaks.IntegerMacs, peaks.Bf16Macs);
    }

    private static string NameOf(CpuLevel level) => Enum.GetName(level)!.ToLowerInvariant();
}

/// <summary>What memory and processor can do at most: the limits beside which the speed of a model means something.</summary>
/// <param name="Threads">Threads that were measured with.</param>
/// <param name="ReadBytesPerSecond">Bytes read from memory by all threads.</param>
/// <param name="ReadBytesPerSecondOneThread">Bytes read from memory by one thread.</param>
/// <param name="FloatOperationsPerSecond">F32 additions and multiplications of all threads; a fused multiply-add is two.</param>
/// <param name="ByteMultiplyAddsPerSecond">Multiply-adds of bytes with VNNI, all threads; 0 where no kernels are generated.</param>
/// <param name="Bf16MultiplyAddsPerSecond">Multiply-adds of bf16, all threads; 0 where no kernels are generated for it.</param>
public sealed record ComputerPeaks(int Threads, double ReadBytesPerSecond, double ReadBytesPerSecondOneThread, double FloatOperationsPerSecond, double ByteMultiplyAddsPerSecond, double Bf16MultiplyAddsPerSecond);
