using System.Diagnostics;
using System.Globalization;
using OpenHearth.Engine;

namespace OpenHearth.Peers;

/// <summary>Rounds in which both engines do the same work one after the other, while the other one idles.</summary>
internal sealed class Comparison(int rounds, int threads, int prompt, int tokens, int depth, double bound)
{
    /// <summary>Prints what the table's columns mean and where it was made.</summary>
    public void PrintHead()
    {
        Console.WriteLine($"CPU: {CpuName()}, {threads} threads, {rounds} interleaved rounds, tokens a second (median, spread of the middle half)");
        Console.WriteLine();
        Console.WriteLine("| model | work | hearth | llama.cpp | ratio |");
        Console.WriteLine("|---|---|---|---|---|");
    }

    /// <summary>Compares on one model and prints a row for each kind of work.</summary>
    public void Run(string name, string path, string scratch)
    {
        var context = Math.Max(prompt, depth + tokens) + 64;
        using var peer = PeerProcess.Start(scratch);
        peer.Load(path, context, threads);
        using var model = Model.Load(path, new ModelOptions { Threads = threads, ContextLength = context });
        using var session = model.CreateSession(context);
        (string Work, int Count, Func<double> Ours, Func<double> Theirs)[] works =
        [
            ($"prefill {prompt}", prompt, () => Ours(session, 0, prompt, 1), () => peer.Prefill(prompt)),
            ($"decode {tokens}", tokens, () => Ours(session, 0, 1, tokens), () => peer.Decode(tokens, 0)),
            .. depth > 0
                ? [($"decode {tokens} at {depth}", tokens, () => Ours(session, depth, 1, tokens), () => peer.Decode(tokens, depth))]
                : ((string, int, Func<double>, Func<double>)[])[],
        ];
        foreach (var (work, count, ours, theirs) in works)
        {
            var (a, b) = (new Measurement(), new Measurement());
            ours();
            theirs();
            for (var round = 0; round < rounds; round++)
            {
                a.Add(ours());
                b.Add(theirs());
            }
            Console.WriteLine($"| {name} | {work} | {Cell(a, count)} | {Cell(b, count)} | {Ratio(a, b)} |");
        }
    }

    /// <summary>Seconds for <paramref name="steps"/> steps of <paramref name="width"/> tokens behind <paramref name="past"/> tokens.</summary>
    private static double Ours(Session session, int past, int width, int steps)
    {
        session.Truncate(0);
        if (past > 0)
            session.Step(Ids(past, 0));
        var ids = Ids(width * steps, past);
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < steps; i++)
            session.Step(ids.AsSpan(i * width, width));
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    // The same ids as peer.mjs feeds.
    private static int[] Ids(int count, int from) => [.. Enumerable.Range(from, count).Select(i => 300 + (int)(i * 7919L % 20000))];

    private static string Cell(Measurement measured, int count) =>
        string.Create(CultureInfo.InvariantCulture, $"{count / measured.Median:0.0} ± {measured.Spread * 50:0} %");

    private string Ratio(Measurement ours, Measurement theirs) => ours.Spread > bound || theirs.Spread > bound
        ? "disturbed: run again"
        : string.Create(CultureInfo.InvariantCulture, $"{theirs.Median / ours.Median:0.00}");

    private static string CpuName()
    {
        const string Key = "model name";
        var line = File.Exists("/proc/cpuinfo") ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith(Key, StringComparison.Ordinal)) : null;
        return line?.Split(':', 2)[1].Trim() ?? "unknown";
    }
}
