using System.Collections.Concurrent;

namespace OpenHearth.Kernels.CodeGen;

/// <summary>What was generated in this process so far, for people who want to see it.</summary>
public static class GeneratedKernels
{
    private static readonly ConcurrentQueue<(GeneratedKernel Kernel, TimeSpan Time)> Written = new();

    /// <summary>Why this process generates no kernels; null where it does.</summary>
    public static string? Refusal => ExecutableMemory.Refusal;

    /// <summary>Name, bytes with constants and time to write, of each kernel generated for products so far.</summary>
    public static IEnumerable<(string Name, int Bytes, TimeSpan Time)> All => Written.Select(entry => (entry.Kernel.Name, entry.Kernel.Bytes, entry.Time));

    internal static void Add(GeneratedKernel kernel, TimeSpan time) => Written.Enqueue((kernel, time));
}
