using System.Collections.Concurrent;

namespace OpenHearth.Kernels.CodeGen;

/// <summary>What was generated in this process so far, for people who want to see it.</summary>
public static class GeneratedKernels
{
    private static readonly ConcurrentQueue<GeneratedKernel> All = new();

    /// <summary>Why this process generates no kernels; null where it does.</summary>
    public static string? Refusal => ExecutableMemory.Refusal;

    /// <summary>Name and machine code, as text, of each kernel generated so far.</summary>
    public static IEnumerable<(string Name, string Listing)> Listings => All.Select(kernel => (kernel.Name, kernel.Listing()));

    internal static GeneratedKernel Add(GeneratedKernel kernel)
    {
        All.Enqueue(kernel);
        return kernel;
    }
}
