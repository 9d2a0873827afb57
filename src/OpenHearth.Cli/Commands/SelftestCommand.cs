using System.CommandLine;
using System.Globalization;
using OpenHearth.Cli.Rendering;
using OpenHearth.Engine.SelfTesting;

namespace OpenHearth.Cli.Commands;

/// <summary><c>hearth selftest</c>: whether this processor computes right.</summary>
internal static class SelftestCommand
{
    public static CommandEntry Entry { get; } = new("selftest", "Every kernel that this CPU can run, against its scalar twin.", ["hearth selftest", "hearth selftest --json"], Declare);

    private static Func<Invocation, int> Declare(Command command, CommonOptions options) => run =>
    {
        run.Interrupt.Listen();
        var results = new List<SelfTestResult>();
        foreach (var result in SelfTest.Run())
        {
            run.Interrupt.Token.ThrowIfCancellationRequested();
            results.Add(result);
            run.Progress($"{results.Count}: {result.Level}, {result.Kernel}");
        }
        run.Progress(null);
        var failed = results.FindAll(result => !result.Passed);
        if (run.Json)
            run.WriteJson(new SelfTestDocument(results.Count - failed.Count, failed.Count, [.. results.Select(Document)]), JsonDocuments.Readable.SelfTestDocument);
        else
            Print(run, results, failed);
        // Last, so that a folder that can't be written takes no result away.
        if (TileProof.Record(run.Home, results) is { } proven && !run.Json)
            run.Out.WriteLine(proven ? "AMX computes right here, and is used from now on." : "AMX stays off.");
        return failed.Count == 0 ? ExitCode.Done : ExitCode.Failed;
    };

    private static KernelDocument Document(SelfTestResult result) => new(result.Kernel, result.Level, result.Passed, result.Deviation);

    private static void Print(Invocation run, List<SelfTestResult> results, List<SelfTestResult> failed)
    {
        run.WriteTable("", ["level", "kernels", "passed"], [.. results.GroupBy(result => result.Level).Select(level => new[]
        {
            level.Key, level.Count().ToString(CultureInfo.InvariantCulture), level.Count(result => result.Passed).ToString(CultureInfo.InvariantCulture),
        })]);
        foreach (var result in failed)
            run.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"WRONG: {result.Level}, {result.Kernel}: {result.Deviation:G3} times the deviation that is allowed"));
        run.Out.WriteLine(failed.Count == 0 ? "This processor computes right." : "Please report this, with what hearth info prints. HEARTH_CPU=scalar avoids the wrong kernels.");
    }
}
