using System.Collections.Concurrent;

namespace OpenHearth.Kernels.CodeGen;

/// <summary>Kernels by what they were written for; each is written when it is first needed. Thread-safe.</summary>
internal sealed class KernelCache<TKey>(Func<TKey, GeneratedKernel> write) where TKey : notnull
{
    private readonly ConcurrentDictionary<TKey, Lazy<GeneratedKernel>> _kernels = new();
    private readonly Func<TKey, Lazy<GeneratedKernel>> _add = key => new Lazy<GeneratedKernel>(() => GeneratedKernels.Add(write(key)));

    /// <summary>The kernel for <paramref name="key"/>.</summary>
    public GeneratedKernel Get(TKey key) => (_kernels.TryGetValue(key, out var kernel) ? kernel : _kernels.GetOrAdd(key, _add)).Value;
}
