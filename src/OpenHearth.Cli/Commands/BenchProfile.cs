using System.Globalization;
using OpenHearth.Cli.Rendering;
using OpenHearth.Engine;
using OpenHearth.Engine.Profiling;

namespace OpenHearth.Cli.Commands;

/// <summary><c>hearth bench --profile</c>: where the time of a step goes, beside the limits that the same run measures.</summary>
internal static class BenchProfile
{
    private const int LongestStep = 512;
    private const int WarmUp = 2;

    public static ProfileDocument Measure(Invocation run, BenchWorks works, int prompt, int decode, int depth, int rounds)
    {
        run.Progress("the limits of this computer");
        var peaks = Computer.Measure(run.Threads);
        run.Progress("profile");
        var tokens = Math.Min(prompt, LongestStep);
        _ = works.ProfileDecode(run, WarmUp, 0);
        var one = works.ProfileDecode(run, decode, depth);
        var many = works.ProfilePrefill(run, tokens, rounds);
        run.Progress(null);
        return new ProfileDocument(
            new LimitsDocument(run.Threads, Giga(peaks.ReadBytesPerSecond), Giga(peaks.FloatOperationsPerSecond / 2), Giga(peaks.ByteMultiplyAddsPerSecond), Giga(peaks.Bf16MultiplyAddsPerSecond), Giga(peaks.TileMultiplyAddsPerSecond)),
            Generation(), Document(one, 1, depth, peaks), Document(many, tokens, 0, peaks));
    }

    public static void Print(Invocation run, ProfileDocument profile)
    {
        var limits = profile.Limits;
        run.Out.WriteLine();
        run.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"limits: read {limits.ReadGbPerS:F1} GB/s, F32 {limits.F32GmacPerS:F0} GMAC/s, VNNI {limits.VnniGmacPerS:F0}, bf16 {limits.Bf16GmacPerS:F0}{(limits.TileGmacPerS > 0 ? string.Create(CultureInfo.InvariantCulture, $", AMX {limits.TileGmacPerS:F0}") : "")}"));
        run.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"generated: {profile.Generation.Count} kernels of {profile.Generation.Bytes} bytes in {profile.Generation.Ms:F1} ms"));
        Print(run, string.Create(CultureInfo.InvariantCulture, $"a decode step behind {profile.Decode.Depth} tokens: {profile.Decode.Ms:F2} ms, median of {profile.Decode.Steps}"), profile.Decode);
        Print(run, string.Create(CultureInfo.InvariantCulture, $"a step of {profile.Prefill.Tokens} tokens: {profile.Prefill.Ms:F2} ms, median of {profile.Prefill.Steps}"), profile.Prefill);
    }

    private static void Print(Invocation run, string title, StepDocument step)
    {
        run.Out.WriteLine();
        run.WriteTable(title, ["op", "calls", "ms", "share", "MB", "GB/s", "of read", "GMAC/s", "of", "unit"], [.. step.Ops.Select(op => new[]
        {
            op.Op, op.Calls.ToString(CultureInfo.InvariantCulture), Text(op.Ms, "F3"), Text(op.Share, "0.0%"), Text(op.Mb, "F2"), Text(op.GbPerS, "F1"), Text(op.OfRead, "0%"),
            Text(op.GmacPerS, "F1"), Text(op.OfPeak, "0%"), op.OfPeak is null ? "" : op.Peak,
        })]);
    }

    private static GenerationDocument Generation()
    {
        var kernels = Computer.GeneratedSoFar();
        return new GenerationDocument(kernels.Count, kernels.Sum(kernel => kernel.Bytes), Milliseconds(kernels.Sum(kernel => kernel.Time.TotalMilliseconds)), [.. kernels.Select(kernel => new GeneratedDocument(kernel.Name, kernel.Bytes, Milliseconds(kernel.Time.TotalMilliseconds)))]);
    }

    private static double Milliseconds(double value) => Math.Round(value, 3);

    private static StepDocument Document(StepProfile profile, int tokens, int depth, ComputerPeaks peaks)
    {
        var ops = profile.Operations;
        var step = profile.StepSeconds;
        var rest = Math.Max(0, step - ops.Sum(op => op.Seconds));
        return new StepDocument(tokens, depth, profile.Steps, Math.Round(step * 1e3, 4), [.. ops.Select(op => Document(op, step, peaks)), new OpDocument("between ops", 0, Math.Round(rest * 1e3, 4), Share(rest, step), null, null, null, null, null, "")]);
    }

    private static OpDocument Document(ProfiledOperation op, double step, ComputerPeaks peaks)
    {
        var (peak, unit) = op.Unit switch
        {
            ArithmeticUnit.Vnni when peaks.ByteMultiplyAddsPerSecond > 0 => (peaks.ByteMultiplyAddsPerSecond, "vnni"),
            ArithmeticUnit.Bf16 when peaks.Bf16MultiplyAddsPerSecond > 0 => (peaks.Bf16MultiplyAddsPerSecond, "bf16"),
            ArithmeticUnit.Tiles when peaks.TileMultiplyAddsPerSecond > 0 => (peaks.TileMultiplyAddsPerSecond, "amx"),
            _ => (peaks.FloatOperationsPerSecond / 2, "f32"),
        };
        double? bytes = op.Bytes > 0 ? op.Bytes : null;
        double? macs = op.MultiplyAdds > 0 ? op.MultiplyAdds : null;
        return new OpDocument(
            op.Name, op.Calls, Math.Round(op.Seconds * 1e3, 4), Share(op.Seconds, step), Rounded(bytes / 1e6), Rounded(bytes / op.Seconds / 1e9), Rounded(bytes / op.Seconds / peaks.ReadBytesPerSecond),
            Rounded(macs / op.Seconds / 1e9), Rounded(macs / op.Seconds / peak), unit);
    }

    private static double Share(double part, double whole) => Math.Round(part / Math.Max(whole, 1e-12), 4);

    private static double? Rounded(double? value) => value is { } number ? Math.Round(number, 3) : null;

    private static double Giga(double value) => Math.Round(value / 1e9, 2);

    private static string Text(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "";
}
