using System.Diagnostics;
using System.Globalization;
using OpenHearth.Engine;
using OpenHearth.Kernels.Cpu;

namespace OpenHearth.Peers;

/// <summary>Rounds in which both engines do the same work one after the other, while the other one idles.</summary>
/// <param name="rounds">Counted rounds; one more goes first.</param>
/// <param name="threads">Threads of each engine.</param>
/// <param name="prompt">Tokens of a prefill.</param>
/// <param name="tokens">Tokens of a decode.</param>
/// <param name="batches">Tokens a step of the works that take several.</param>
/// <param name="bound">Largest spread at which a ratio is printed.</param>
internal sealed class Comparison(int rounds, int threads, int prompt, int tokens, int[] batches, double bound)
{
    private readonly Limits _limits = Limits.Measure(threads);

    /// <summary>Prints what the table's columns mean and where it was made.</summary>
    public void PrintHead()
    {
        Console.WriteLine($"CPU: {CpuFeatures.Current.Name}, {threads} threads, {rounds} interleaved rounds, tokens a second (median, half the spread of the middle half)");
        Console.WriteLine($"limits in this run: {_limits}");
        Console.WriteLine("share: of reading weights and cache (decode), of multiplying (prefill: VNNI on bytes, of which activations of 16 bits reach half, bf16 or F32)");
        Console.WriteLine();
        Console.WriteLine("| model | work | hearth | llama.cpp | ratio | share of limit | hearth ÷ its decode | llama.cpp ÷ its decode |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|");
    }

    /// <summary>Compares on one model and prints a row for each kind of work.</summary>
    /// <param name="name">For the table.</param>
    /// <param name="path">The file.</param>
    /// <param name="scratch">Where the peer is installed.</param>
    /// <param name="depth">Also decode behind so many tokens; 0 for not.</param>
    public void Run(string name, string path, string scratch, int depth)
    {
        var context = Math.Max(prompt, depth + tokens) + 64;
        using (var peer = PeerProcess.Start(scratch))
        using (var model = Model.Load(path, new ModelOptions { Threads = threads, ContextLength = context }))
        {
            peer.Load(path, context, threads);
            using var session = model.CreateSession(context);
            Row(name, $"prefill {prompt}", prompt, () => Ours(session, 0, prompt, 1), () => peer.Prefill(prompt), _limits.Ideal(model, prompt));
            Func<double> decode = () => Ours(session, 0, 1, tokens), theirs = () => peer.Decode(tokens, 0);
            var one = Row(name, $"decode {tokens}", tokens, decode, theirs, _limits.Ideal(model, 1) * tokens);
            foreach (var rows in batches)
            {
                var steps = Math.Max(1, tokens / rows);
                Row(name, $"{rows} tokens a step", steps * rows, () => Ours(session, 0, rows, steps, all: true), () => peer.Batch(steps, rows), null, one);
            }
            if (depth > 0)
                Row(name, $"decode {tokens} at {depth}", tokens, () => Ours(session, depth, 1, tokens), () => peer.Decode(tokens, depth), null, one);
            using (new BusyNeighbour())
                Row(name, $"decode {tokens}, one core busy", tokens, decode, theirs, null, one);
        }
        PrintProcess(name, path);
    }

    private static double Ours(Session session, int past, int width, int steps, bool all = false)
    {
        if (session.Length < past)
        {
            session.Truncate(0);
            session.Step(Ids(past, 0));
        }
        session.Truncate(past);
        using var batch = new Batch();
        var ids = Ids(width * steps, past);
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < steps; i++)
        {
            batch.Clear();
            batch.Add(session, ids.AsSpan(i * width, width), all ? width : 1);
            session.Model.Step(batch);
        }
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    // The same ids as peer.mjs feeds.
    private static int[] Ids(int count, int from) => [.. Enumerable.Range(from, count).Select(i => 300 + (int)(i * 7919L % 20000))];

    private Speeds Row(string name, string work, int count, Func<double> ours, Func<double> theirs, double? ideal, Speeds? one = null)
    {
        var (a, b) = (new Measurement(), new Measurement());
        ours();
        theirs();
        for (var round = 0; round < rounds; round++)
        {
            a.Add(ours());
            b.Add(theirs());
        }
        var share = ideal is { } seconds ? a.Spread > bound || _limits.Spread > bound ? "disturbed" : Limits.Share(seconds, a.Median) : "";
        var speeds = new Speeds(a, b, count);
        Console.WriteLine($"| {name} | {work} | {Cell(a, count)} | {Cell(b, count)} | {Ratio(b.Median / a.Median, a, b)} | {share} | {(one is null ? "" : Ratio(speeds.Ours / one.Ours, a, one.A))} | {(one is null ? "" : Ratio(speeds.Theirs / one.Theirs, b, one.B))} |");
        return speeds;
    }

    private void PrintProcess(string name, string path)
    {
        var first = new Measurement();
        HearthProgram.FirstToken(path, threads);
        for (var round = 0; round < rounds; round++)
            first.Add(HearthProgram.FirstToken(path, threads));
        var memory = HearthProgram.MemoryOverFile(path, threads);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | first token, from process start to its end | {first.Median * 1e3:0} ms ± {first.Spread * 50:0} % | | | | | |"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | resident memory ÷ file | {memory:0.00} | | | | | |"));
    }

    private static string Cell(Measurement measured, int count) =>
        string.Create(CultureInfo.InvariantCulture, $"{count / measured.Median:0.0} ± {measured.Spread * 50:0} %");

    private string Ratio(double ratio, Measurement a, Measurement b) => Measurement.Ratio(ratio, a, b, bound);

    private sealed record Speeds(Measurement A, Measurement B, int Count)
    {
        public double Ours => Count / A.Median;

        public double Theirs => Count / B.Median;
    }
}
