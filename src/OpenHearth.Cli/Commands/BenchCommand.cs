using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using OpenHearth.Cli.Rendering;
using OpenHearth.Engine;

namespace OpenHearth.Cli.Commands;

/// <summary><c>hearth bench</c>: how fast a model runs here.</summary>
internal sealed class BenchCommand
{
    private const double Megabyte = 1e6;

    public static CommandEntry Entry { get; } = new("bench", "Measure the speed of a model on this computer.",
    [
        "hearth bench smollm2",
        "hearth bench smollm2 -p 512 -n 64 -r 5 --threads 2 --json",
    ], (command, options) => new BenchCommand(command, options).Execute);

    private readonly Option<int> _prompt = Count("-p", "Tokens of the prompt.", 512);
    private readonly Option<int> _decode = Count("-n", "Tokens made one after another.", 64);
    private readonly Option<int> _rounds = Count("-r", "Rounds; one more goes first and is not counted.", 5);

    private BenchCommand(Command command, CommonOptions options)
    {
        command.Add(options.Model);
        command.Add(_prompt);
        command.Add(_decode);
        command.Add(_rounds);
    }

    private int Execute(Invocation run)
    {
        run.Interrupt.Listen();
        var path = run.ModelPath;
        var start = Stopwatch.GetTimestamp();
        using var model = Model.Load(path, new ModelOptions { Threads = run.Threads });
        var load = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        if (!model.Info.GivesLogits)
            throw Failure.Because($"{model.Info.Name} is an encoder ({model.Info.Architecture}), which has no decode speed. Use `hearth embed`, or a model that writes text.");
        // Made-up tokens: speed does not depend on what they say.
        var random = new Random(1);
        var tokens = Enumerable.Range(0, Math.Max(run.Get(_prompt), run.Get(_decode))).Select(_ => random.Next(model.Info.VocabularySize)).ToArray();
        var prefill = Measure(run, "prompt", model, run.Get(_prompt), session => session.Step(tokens.AsSpan(0, run.Get(_prompt))));
        var decode = Measure(run, "decode", model, run.Get(_decode), session =>
        {
            for (var i = 0; i < run.Get(_decode); i++)
                session.Step(tokens.AsSpan(i, 1));
        });
        var document = new BenchDocument(run.ModelName, model.Threads, Computer.CpuName, Math.Round(load, 2), Math.Round(ResidentBytes() / Megabyte, 1), Math.Round(model.Info.FileBytes / Megabyte, 1), prefill, decode);
        if (run.Json)
            run.WriteJson(document, JsonDocuments.Readable.BenchDocument);
        else
            Print(run, document);
        return ExitCode.Done;
    }

    private static Option<int> Count(string name, string description, int value)
    {
        var option = new Option<int>(name) { Description = description, HelpName = "N", DefaultValueFactory = _ => value };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !(int.TryParse(token.Value, out var count) && count >= 1))
                result.AddError($"{name} takes a number from 1, not '{token.Value}'.");
        });
        return option;
    }

    private SpeedDocument Measure(Invocation run, string what, Model model, int tokens, Action<Session> work)
    {
        var rates = new List<double>();
        for (var round = 0; round <= run.Get(_rounds); round++)
        {
            run.Interrupt.Token.ThrowIfCancellationRequested();
            using var session = model.CreateSession(tokens);
            var start = Stopwatch.GetTimestamp();
            work(session);
            var rate = tokens / Stopwatch.GetElapsedTime(start).TotalSeconds;
            run.Log.Info(string.Create(CultureInfo.InvariantCulture, $"{what}, round {round}: {rate:F1} tokens/s"));
            if (round > 0)
                rates.Add(rate);
        }
        rates.Sort();
        var middle = rates.Count / 2;
        var median = rates.Count % 2 == 1 ? rates[middle] : (rates[middle - 1] + rates[middle]) / 2;
        return new SpeedDocument(tokens, new SpreadDocument(Math.Round(median, 2), Math.Round(rates[0], 2), Math.Round(rates[^1], 2)));
    }

    private static long ResidentBytes()
    {
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }

    private static void Print(Invocation run, BenchDocument bench)
    {
        run.WriteTable($"{bench.Model}, {bench.Threads} threads, {bench.Cpu}", ["", "tokens", "tokens/s", "lowest", "highest"],
        [
            Row("prompt", bench.Prefill),
            Row("decode", bench.Decode),
        ]);
        run.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"load {bench.LoadMs:F0} ms, memory {bench.RssMb:F0} MB, file {bench.FileMb:F0} MB"));
    }

    private static string[] Row(string name, SpeedDocument speed) =>
        [name, speed.Tokens.ToString(CultureInfo.InvariantCulture), Text(speed.Tps.Median), Text(speed.Tps.Min), Text(speed.Tps.Max)];

    private static string Text(double value) => value.ToString("F1", CultureInfo.InvariantCulture);
}
