using OpenHearth.Kernels.Cpu;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Engine.SelfTesting;

/// <summary>One kernel at one level of instructions against its scalar twin.</summary>
/// <param name="Kernel">What was computed.</param>
/// <param name="Level">The instructions it was computed with.</param>
/// <param name="Deviation">Largest difference from the twin, 1 being the most that is allowed.</param>
public sealed record SelfTestResult(string Kernel, string Level, double Deviation)
{
    /// <summary>True where every value is as near as it must be.</summary>
    public bool Passed => Deviation <= 1; // false for NaN
}

/// <summary>Shows that this processor computes what the scalar twins say: for new machines, and for reports of wrong answers.</summary>
public static class SelfTest
{
    private const int Threads = 2;

    /// <summary>Runs every kernel at every level that this processor has. Takes some seconds, and two threads.</summary>
    public static IEnumerable<SelfTestResult> Run()
    {
        foreach (var result in FormatChecks.Run())
            yield return result;
        using var twin = new ComputePool(1, CpuLevel.Scalar);
        foreach (var level in CpuFeatures.Available)
        {
            using var pool = new ComputePool(Threads, level);
            foreach (var (kernel, deviation) in ElementwiseChecks.Run(pool, twin).Concat(AttentionChecks.Run(pool, twin)).Concat(ProductChecks.Run(pool, twin)))
                yield return new SelfTestResult(kernel, Enum.GetName(level)!.ToLowerInvariant(), deviation);
        }
    }
}
