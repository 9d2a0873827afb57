using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using OpenHearth.Cli.Models;
using OpenHearth.Cli.Rendering;
using OpenHearth.Engine;

namespace OpenHearth.Cli.Commands;

/// <summary><c>hearth info</c>: this computer, as the program sees it.</summary>
internal static class InfoCommand
{
    public static CommandEntry Entry { get; } = new("info", "This program and this computer.", ["hearth info", "hearth info --measure --json"], Declare);

    private static Func<Invocation, int> Declare(Command command, CommonOptions options)
    {
        var measure = new Option<bool>("--measure") { Description = "Measure read bandwidth and arithmetic, for about two seconds." };
        command.Add(measure);
        return run =>
        {
            var document = new InfoDocument(
                PrintVersion.Version, RuntimeInformation.FrameworkDescription, RuntimeInformation.OSDescription,
                Computer.CpuName, Computer.Cores, new InstructionsDocument(Computer.Instructions, Computer.HighestLevel, Computer.Level),
                Computer.MemoryBytes, run.Get(measure) ? Measure(run.Threads) : null, run.Offline,
                new PathsDocument(AppContext.BaseDirectory, run.Home, [.. ModelReference.OfProgram().Names()]));
            if (run.Json)
                run.WriteJson(document, JsonDocuments.Readable.InfoDocument);
            else
                Print(run, document);
            return ExitCode.Done;
        };
    }

    private static PeaksDocument Measure(int threads)
    {
        var peaks = Computer.Measure(threads);
        return new PeaksDocument(threads, Giga(peaks.ReadBytesPerSecond), Giga(peaks.ReadBytesPerSecondOneThread), Giga(peaks.FloatOperationsPerSecond));
    }

    private static double Giga(double value) => Math.Round(value / 1e9, 2);

    private static void Print(Invocation run, InfoDocument info) => run.WriteTable("", ["", ""],
    [
        ["version", $"hearth {info.Version}, {info.Runtime}, {info.Os}"],
        ["cpu", $"{info.Cpu}, {info.Cores} cores for this process"],
        ["instructions", $"{string.Join(' ', info.Instructions.Found)}; highest level {info.Instructions.HighestLevel}, in use {info.Instructions.UsedLevel}"],
        ["memory", string.Create(CultureInfo.InvariantCulture, $"{info.MemoryBytes / (double)(1 << 30):F1} GiB for this process")],
        .. info.Measured is { } peaks ? Measured(peaks) : [],
        ["network", info.Offline ? "off" : "on"],
        ["program", info.Paths.Program],
        ["home", info.Paths.Home],
        ["models", string.Join(", ", info.Paths.Models)],
    ]);

    private static string[][] Measured(PeaksDocument peaks) =>
    [
        ["read", string.Create(CultureInfo.InvariantCulture, $"{peaks.ReadGbPerS:F1} GB/s with {peaks.Threads} threads, {peaks.ReadGbPerSOneThread:F1} GB/s with one")],
        ["arithmetic", string.Create(CultureInfo.InvariantCulture, $"{peaks.F32GflopPerS:F0} GFLOP/s in F32 with {peaks.Threads} threads")],
    ];
}
