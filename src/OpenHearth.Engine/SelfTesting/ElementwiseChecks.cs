using OpenHearth.Kernels.Elementwise;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Engine.SelfTesting;

/// <summary>Norms, activations, sums and rotations of rows.</summary>
internal static class ElementwiseChecks
{
    private const int Rows = 7, Width = 275; // no multiple of any vector
    private const double Tolerance = 1e-5;

    private delegate void Kernel(ComputePool pool, float[] y);

    public static IEnumerable<(string Kernel, double Deviation)> Run(ComputePool pool, ComputePool twin)
    {
        foreach (var (name, width, kernel) in All())
        {
            var (fast, scalar) = (new float[Rows * width], new float[Rows * width]);
            kernel(pool, fast);
            kernel(twin, scalar);
            yield return (name, Deviation.Largest(fast, scalar, Tolerance));
        }
    }

    private static IEnumerable<(string Name, int Width, Kernel Kernel)> All()
    {
        var x = Deviation.Normal(1, Rows * Width);
        var z = Deviation.Normal(2, Rows * Width);
        var weight = Deviation.Normal(3, Width);
        yield return ("RMS norm", Width, (pool, y) => RmsNorm.Forward(pool, x, weight, 1e-5f, y, Rows, Width));
        yield return ("layer norm", Width, (pool, y) => LayerNorm.Forward(pool, x, weight, weight, 1e-5f, y, Rows, Width));
        yield return ("add", Width, (pool, y) => Arithmetic.Add(pool, x, z, y, Rows, Width));
        yield return ("multiply", Width, (pool, y) => Arithmetic.Multiply(pool, x, z, y, Rows, Width));
        yield return ("scale", Width, (pool, y) => Arithmetic.Scale(pool, x, 0.3f, y, Rows, Width));
        yield return ("soft cap", Width, (pool, y) => Arithmetic.SoftCap(pool, x, 2, y, Rows, Width));
        yield return ("8-bit activations", Width, (pool, y) => ByteRounding.Forward(pool, x, y, Rows, Width));
        foreach (var kind in Enum.GetValues<ActivationKind>())
        {
            yield return ($"{kind}", Width, (pool, y) => Activation.Forward(pool, kind, x, y, Rows, Width));
            yield return ($"{kind} gate", Width, (pool, y) => Activation.Gate(pool, kind, x, z, y, Rows, Width));
        }
        const int heads = 3, headWidth = 80, dimensions = 50;
        var angles = Deviation.Normal(4, Rows * dimensions);
        foreach (var pairing in Enum.GetValues<RotaryPairing>())
            yield return ($"rotate {pairing}", heads * headWidth, (pool, y) => Rotary.Forward(pool, x.AsSpan(0, Rows * heads * headWidth), angles, y, Rows, heads, headWidth, 4, dimensions, pairing));
    }
}
