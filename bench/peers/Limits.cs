using System.Globalization;
using OpenHearth.Engine;
using OpenHearth.Engine.Profiling;
using OpenHearth.Kernels.Cpu;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Peers;

/// <summary>
/// What the machine can do at most, measured in this run, and how much of it a step needs. Measured twice: where the two
/// differ by more than the bound, somebody else was using the machine, and shares of such limits say nothing.
/// </summary>
internal sealed class Limits
{
    private readonly CpuPeaks _peaks;

    private Limits(CpuPeaks a, CpuPeaks b)
    {
        _peaks = new CpuPeaks(Math.Max(a.ReadBytes, b.ReadBytes), Math.Max(a.ReadBytesOneThread, b.ReadBytesOneThread), Math.Max(a.FloatMacs, b.FloatMacs), Math.Max(a.IntegerMacs, b.IntegerMacs), Math.Max(a.Bf16Macs, b.Bf16Macs), Math.Max(a.TileMacs, b.TileMacs));
        Spread = Math.Max(Apart(a.ReadBytes, b.ReadBytes), Math.Max(Apart(a.FloatMacs, b.FloatMacs), Apart(a.IntegerMacs, b.IntegerMacs)));
    }

    /// <summary>How far the two measurements lie apart.</summary>
    public double Spread { get; }

    /// <summary>Measures for about four seconds.</summary>
    public static Limits Measure(int threads)
    {
        using var pool = new ComputePool(threads);
        return new Limits(CpuPeaks.Measure(pool), CpuPeaks.Measure(pool));
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{_peaks}; {Spread * 100:0} % apart in two measurements");

    /// <summary>
    /// Seconds that a step of some tokens would take at the limits: reading its weights and cache for one token, multiplying
    /// (VNNI on bytes, bf16 or F32, whichever its formats can use) for many.
    /// </summary>
    public double Ideal(Model model, int tokens)
    {
        using var session = model.CreateSession(tokens + 1);
        using var batch = new Batch();
        batch.Add(session, [.. Enumerable.Range(300, tokens)]);
        var profile = new StepProfile();
        model.Step(batch, profile);
        return profile.Operations.Sum(op => tokens == 1 ? op.Bytes / _peaks.ReadBytes : op.MultiplyAdds / PeakOf(op.Unit));
    }

    /// <summary>For the table.</summary>
    public static string Share(double ideal, double seconds) => string.Create(CultureInfo.InvariantCulture, $"{ideal / seconds * 100:0} %");

    private static double Apart(double a, double b) => Math.Abs(a - b) / Math.Max(Math.Max(a, b), 1);

    private double PeakOf(ArithmeticUnit unit) => unit switch
    {
        ArithmeticUnit.Vnni when _peaks.IntegerMacs > 0 => _peaks.IntegerMacs,
        ArithmeticUnit.Bf16 when _peaks.Bf16Macs > 0 => _peaks.Bf16Macs,
        ArithmeticUnit.Tiles when _peaks.TileMacs > 0 => _peaks.TileMacs,
        _ => _peaks.FloatMacs,
    };
}
