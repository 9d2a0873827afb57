using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Cpu;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul;
using OpenHearth.Kernels.Memory;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Engine;

/// <summary>The computer that this process runs on. Thread-safe.</summary>
public static class Computer
{
    /// <summary>What the CPU calls itself, or its kind where it does not say.</summary>
    /// <exception cref="InvalidOperationException">HEARTH_CPU names no level.</exception>
    public static string CpuName => CpuFeatures.Current.Name;

    /// <summary>Extensions of the instruction set that were found.</summary>
    /// <inheritdoc cref="CpuName" path="/exception"/>
    public static IReadOnlyList<string> Instructions => CpuFeatures.Current.Instructions;

    /// <summary>The level of instructions in use: <c>scalar</c>, <c>vector</c>, <c>avx2</c>, <c>avx512</c> or <c>amx</c>. HEARTH_CPU names the highest to use; AMX needs that or a <see cref="SelfTesting.TileProof"/>.</summary>
    /// <inheritdoc cref="CpuName" path="/exception"/>
    public static string Level => NameOf(CpuFeatures.Current.Level);

    /// <summary>The highest level that the processor has.</summary>
    /// <inheritdoc cref="CpuName" path="/exception"/>
    public static string HighestLevel => NameOf(CpuFeatures.Current.Highest);

    /// <summary>Why no kernels are generated for this process, which then runs compiled C# alone; null where they are.</summary>
    /// <inheritdoc cref="CpuName" path="/exception"/>
    public static string? NoGeneratedCode => GeneratedKernels.Refusal
        ?? (CpuFeatures.Current.Level < CpuLevel.Avx512 ? $"generated kernels need AVX-512 with VNNI, and the level in use is {Level}" : null);

    /// <summary>Cores that this process may use: affinity and the quota of its container count, two hyperthreads are one core.</summary>
    /// <inheritdoc cref="CpuName" path="/exception"/>
    public static int Cores => CpuFeatures.Current.Cores;

    /// <summary>Bytes of memory that this process may use: the limit of its container, or what the machine has.</summary>
    public static long MemoryBytes => AvailableMemory.Bytes;

    /// <summary>Measures the limits of this moment, for about two seconds; needs 768 MiB of memory meanwhile.</summary>
    /// <param name="threads">Threads that read and compute, at least 1; <see cref="Cores"/> at most are used.</param>
    /// <exception cref="NotSupportedException">This process may not use so much memory.</exception>
    public static ComputerPeaks Measure(int threads)
    {
        if (MemoryBytes < CpuPeaks.MemoryBytes)
            throw new NotSupportedException($"Measuring takes {CpuPeaks.MemoryBytes >> 20} MiB of memory, and this process may use {MemoryBytes >> 20}.");
        threads = Math.Min(threads, Cores);
        using var pool = new ComputePool(threads);
        var peaks = CpuPeaks.Measure(pool);
        return new ComputerPeaks(threads, peaks.ReadBytes, peaks.ReadBytesOneThread, peaks.FloatMacs * 2, peaks.IntegerMacs, peaks.Bf16Macs, peaks.TileMacs);
    }

    /// <summary>Which kernel multiplies which format with how many tokens at the level in use, and why.</summary>
    /// <inheritdoc cref="CpuName" path="/exception"/>
    public static IReadOnlyList<KernelChoice> Kernels() =>
        [.. BlockFormats.All.Where(format => format.BlockSize > 1 || format.CanEncode).SelectMany(format => KernelChoices(format.Type))];

    /// <summary>The machine code of a generated kernel as text, or null where there is none of this name.</summary>
    /// <param name="name">As <see cref="KernelChoice.Generated"/> gives it.</param>
    public static string? KernelListing(string name) => ProductKernels.Listing(name);

    /// <summary>Name, bytes and time to write, of each kernel that products needed so far in this process.</summary>
    public static IReadOnlyList<(string Name, int Bytes, TimeSpan Time)> GeneratedSoFar() => [.. GeneratedKernels.All];

    private static IEnumerable<KernelChoice> KernelChoices(TensorType type)
    {
        const int mostTokens = 40; // more make no difference
        var choices = Enumerable.Range(1, mostTokens).Select(tokens => ProductKernels.For(type, tokens, Precision.Fast, CpuFeatures.Current.Level)).ToList();
        for (var first = 0; first < mostTokens;)
        {
            var end = first;
            while (end < mostTokens && choices[end].Kernel == choices[first].Kernel)
                end++;
            // Of many tokens, most go through the kernel of the largest tile.
            var choice = end == mostTokens ? choices[^1] : choices[first];
            yield return new KernelChoice(type.ToString(), first + 1, end == mostTokens ? null : end, $"{choice.Kernel}", choice.Why, choice.Generated);
            first = end;
        }
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
/// <param name="TileMultiplyAddsPerSecond">Multiply-adds of bf16 in AMX tiles, all threads; 0 where they are not in use.</param>
public sealed record ComputerPeaks(int Threads, double ReadBytesPerSecond, double ReadBytesPerSecondOneThread, double FloatOperationsPerSecond, double ByteMultiplyAddsPerSecond, double Bf16MultiplyAddsPerSecond, double TileMultiplyAddsPerSecond);

/// <summary>Which kernel multiplies a format with so many tokens.</summary>
/// <param name="Format">Name of the format.</param>
/// <param name="FirstTokens">From so many tokens.</param>
/// <param name="LastTokens">To so many, or null for any number.</param>
/// <param name="Kernel">Its name in the source.</param>
/// <param name="Why">What speaks for it, and which instructions it needs.</param>
/// <param name="Generated">Name of a generated kernel that does most of the work, or null where it is compiled C#.</param>
public sealed record KernelChoice(string Format, int FirstTokens, int? LastTokens, string Kernel, string Why, string? Generated);
