using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Vectors;

namespace OpenHearth.Kernels.Tests.Vectors;

/// <summary>Runs a row kernel once for every vector width; what the processor lacks, the runtime emulates.</summary>
internal static class EveryWidth
{
    public static void Run<TKernel>(TKernel kernel, int rows, Action<string> check) where TKernel : struct, IRowKernel
    {
        kernel.Run<SimdScalar, float>(0, rows);
        check("scalar");
        kernel.Run<Simd128, Vector128<float>>(0, rows);
        check("128 bits");
        kernel.Run<Simd256, Vector256<float>>(0, rows);
        check("256 bits");
        kernel.Run<Simd512, Vector512<float>>(0, rows);
        check("512 bits");
    }

    /// <summary>Reproducible values of both signs.</summary>
    public static float[] Random(int seed, int length, float scale = 1f)
    {
        var random = new Random(seed);
        var values = new float[length];
        foreach (ref var value in values.AsSpan())
            value = scale * ((2 * random.NextSingle()) - 1);
        return values;
    }

    /// <summary>Every value within a part of the largest expected magnitude.</summary>
    public static void AreClose(ReadOnlySpan<double> expected, ReadOnlySpan<float> actual, double tolerance, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        var scale = 1e-6;
        foreach (var value in expected)
            scale = Math.Max(scale, Math.Abs(value));
        for (var i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - actual[i]) <= tolerance * scale, $"{what}: value {i} is {actual[i]}, expected {expected[i]}");
    }
}
