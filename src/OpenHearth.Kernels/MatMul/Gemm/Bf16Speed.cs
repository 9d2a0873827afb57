using System.Diagnostics;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Cpu;

namespace OpenHearth.Kernels.MatMul.Gemm;

/// <summary>
/// What dot products of bf16 are worth on this processor: on some (AMD Zen 4) an instruction takes as long as one of VNNI or
/// of F32, on others twice as long or longer. It is measured once, with bounds halfway between, so that the choice is the
/// same each time.
/// </summary>
internal static class Bf16Speed
{
    private const int Attempts = 8;
    private const long Rounds = 400;

    private static readonly Lazy<(double Floats, double Integers)> Ratios = new(Measure);

    /// <summary>True where bf16 multiplies much more than F32 in the same time; an instruction of it does twice as much.</summary>
    public static bool BeatsFloats => CpuFeatures.Current.Bf16 && Ratios.Value.Floats < 1.4;

    /// <summary>True where bf16 multiplies as much as 16-bit activations with VNNI, of which each takes two instructions of twice as much.</summary>
    public static bool EqualsIntegers => CpuFeatures.Current.Bf16 && Ratios.Value.Integers < 1.4;

    private static (double, double) Measure()
    {
        double bf16 = double.MaxValue, floats = double.MaxValue, integers = double.MaxValue;
        for (var i = 0; i < Attempts; i++)
        {
            bf16 = Math.Min(bf16, Time(PeakKernel.Bf16));
            floats = Math.Min(floats, Time(PeakKernel.Float));
            integers = Math.Min(integers, Time(PeakKernel.Integer));
        }
        return (bf16 / floats, bf16 / integers);
    }

    private static unsafe double Time(GeneratedKernel kernel)
    {
        var rounds = Rounds;
        var start = Stopwatch.GetTimestamp();
        kernel.Run(&rounds);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
