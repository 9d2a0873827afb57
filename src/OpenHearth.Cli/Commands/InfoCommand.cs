using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using OpenHearth.Cli.Models;
using OpenHearth.Cli.Rendering;
using OpenHearth.Engine;
using OpenHearth.Engine.SelfTesting;

namespace OpenHearth.Cli.Commands;

/// <summary><c>hearth info</c>: this computer, as the program sees it.</summary>
internal static class InfoCommand
{
    public static CommandEntry Entry { get; } = new("info", "This program and this computer.", ["hearth info", "hearth info --measure --json", "hearth info --kernels", "hearth info --kernels \"gemv Q4_0 × 1 token\""], Declare);

    private static Func<Invocation, int> Declare(Command command, CommonOptions options)
    {
        var measure = new Option<bool>("--measure") { Description = "Measure read bandwidth and arithmetic, for about two seconds." };
        var kernels = new Option<string?>("--kernels") { Description = "Which kernel multiplies which format, and why; with the name of a generated one, its machine code.", HelpName = "NAME", Arity = ArgumentArity.ZeroOrOne };
        command.Add(measure);
        command.Add(kernels);
        return run =>
        {
            if (run.Has(kernels))
                return ShowKernels(run, run.Get(kernels));
            var document = new InfoDocument(
                PrintVersion.Version, RuntimeInformation.FrameworkDescription, RuntimeInformation.OSDescription,
                Computer.CpuName, Computer.Cores, new InstructionsDocument(Computer.Instructions, Computer.HighestLevel, Computer.Level, Computer.NoGeneratedCode),
                Computer.MemoryBytes, run.Get(measure) ? Measure(run.Threads) : null, run.Offline,
                new PathsDocument(AppContext.BaseDirectory, run.Home, [.. ModelReference.OfProgram().Names()]));
            if (run.Json)
                run.WriteJson(document, JsonDocuments.Readable.InfoDocument);
            else
                Print(run, document);
            return ExitCode.Done;
        };
    }

    private static int ShowKernels(Invocation run, string? name)
    {
        if (name is not null)
        {
            var listing = Computer.KernelListing(name) ?? throw Failure.Because($"There is no generated kernel '{name}' on this computer. `hearth info --kernels` lists those in use.");
            if (run.Json)
                run.WriteJson(new ListingDocument(name, listing), JsonDocuments.Readable.ListingDocument);
            else
                run.Out.Write(listing);
            return ExitCode.Done;
        }
        var choices = Computer.Kernels();
        if (run.Json)
            run.WriteJson(new KernelsDocument(Computer.CpuName, Computer.Level, [.. choices.Select(choice => new KernelChoiceDocument(choice.Format, choice.FirstTokens, choice.LastTokens, choice.Kernel, choice.Why, choice.Generated))]), JsonDocuments.Readable.KernelsDocument);
        else
            run.WriteTable($"{Computer.CpuName}, level {Computer.Level}", ["format", "tokens", "kernel", "generated", "why"], [.. choices.Select(choice => new[] { choice.Format, Tokens(choice), choice.Kernel, choice.Generated ?? "", choice.Why })]);
        return ExitCode.Done;
    }

    private static string Tokens(KernelChoice choice) => (choice.FirstTokens, choice.LastTokens) switch
    {
        (1, null) => "any",
        (var first, null) => string.Create(CultureInfo.InvariantCulture, $"from {first}"),
        (var first, var last) => first == last ? first.ToString(CultureInfo.InvariantCulture) : string.Create(CultureInfo.InvariantCulture, $"{first} to {last}"),
    };

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
        ["instructions", $"{string.Join(' ', info.Instructions.Found.DefaultIfEmpty("none beyond the usual"))}; highest level {info.Instructions.HighestLevel}, in use {info.Instructions.UsedLevel}{Advice(run, info.Instructions)}"],
        ["generated code", info.Instructions.NoGeneratedCode is { } reason ? $"none: {reason}" : "kernels for this processor, written when they are first needed"],
        ["memory", string.Create(CultureInfo.InvariantCulture, $"{info.MemoryBytes / (double)(1 << 30):F1} GiB for this process")],
        .. info.Measured is { } peaks ? Measured(peaks) : [],
        ["network", info.Offline ? "off" : "on"],
        ["program", info.Paths.Program],
        ["home", info.Paths.Home],
        ["models", string.Join(", ", info.Paths.Models)],
    ]);

    private static string Advice(Invocation run, InstructionsDocument instructions) =>
        instructions.HighestLevel == TileProof.Level && instructions.UsedLevel != TileProof.Level && !TileProof.Holds(run.Home)
            ? "; `hearth selftest` turns AMX on once it has passed here" : "";

    private static string[][] Measured(PeaksDocument peaks) =>
    [
        ["read", string.Create(CultureInfo.InvariantCulture, $"{peaks.ReadGbPerS:F1} GB/s with {peaks.Threads} threads, {peaks.ReadGbPerSOneThread:F1} GB/s with one")],
        ["arithmetic", string.Create(CultureInfo.InvariantCulture, $"{peaks.F32GflopPerS:F0} GFLOP/s in F32 with {peaks.Threads} threads")],
    ];
}
