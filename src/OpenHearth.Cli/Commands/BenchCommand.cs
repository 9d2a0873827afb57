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
        "hearth bench smollm2 --depth 4096 --batch 4 --batch 16",
        "hearth bench smollm2 --profile",
    ], (command, options) => new BenchCommand(command, options).Execute);

    private readonly CommonOptions _options;
    private readonly CacheSwitches _cache = new();
    private readonly Option<int> _prompt = Count("-p", "Tokens of the prompt.", 512);
    private readonly Option<int> _decode = Count("-n", "Tokens made one after another.", 64);
    private readonly Option<int> _rounds = Count("-r", "Rounds; one more goes first and is not counted.", 5);
    private readonly Option<int> _depth = Count("--depth", "Also decode behind so many tokens of context.", 0);
    private readonly Option<int[]> _batch = new("--batch") { Description = "Also steps of so many tokens: of as many sequences, and of one. May be given several times.", HelpName = "B" };
    private readonly Option<bool> _profile = new("--profile") { Description = "Also where the time of a step goes, op by op, beside what this computer can do at most (for about two seconds more)." };

    private BenchCommand(Command command, CommonOptions options)
    {
        _options = options;
        command.Add(options.Model);
        foreach (var option in new Option[] { _prompt, _decode, _rounds, _depth, options.Context, _batch, _profile })
            command.Add(option);
        _cache.AddTo(command);
        _batch.Validators.Add(result =>
        {
            if (result.Tokens.FirstOrDefault(token => !(int.TryParse(token.Value, out var count) && count is >= 1 and <= 512)) is { } wrong)
                result.AddError($"--batch takes a number from 1 to 512, not '{wrong.Value}'.");
        });
    }

    private int Execute(Invocation run)
    {
        run.Interrupt.Listen();
        var path = run.ModelPath;
        var start = Stopwatch.GetTimestamp();
        var model = run.Load(path, _cache.Over(new ModelOptions { ContextLength = run.Get(_options.Context) ?? 0 }, run));
        var load = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        if (!model.Info.GivesLogits)
            throw Failure.Because($"{model.Info.Name} is an encoder ({model.Info.Architecture}), which has no decode speed. Use `hearth embed`, or a model that writes text.");
        var (prompt, decode, depth, rounds) = (run.Get(_prompt), run.Get(_decode), run.Get(_depth), run.Get(_rounds));
        using var works = new BenchWorks(model, depth);
        var prefill = works.Add("prompt", () => works.Prefill(prompt));
        var one = works.Add("decode", () => works.Decode(decode, 0));
        var deep = depth > 0 ? works.Add($"decode behind {depth}", () => works.Decode(decode, depth)) : null;
        var batches = (run.Get(_batch) ?? []).Select(rows => (
            Rows: rows,
            Sequences: works.Add($"{rows} sequences", () => works.Sequences(decode, rows)),
            One: works.Add($"{rows} tokens of one", () => works.Rows(decode, rows)))).ToList();
        works.Run(run, rounds);
        var document = new BenchDocument(
            run.ModelName, model.Threads, Computer.CpuName, Math.Round(load, 2), Math.Round(ResidentBytes() / Megabyte, 1), Math.Round(model.Info.FileBytes / Megabyte, 1),
            prefill.Speed(prompt), one.Speed(decode),
            deep is null ? null : new DeepSpeedDocument(depth, decode, deep.Rates(), deep.RatioTo(one)),
            batches.Count == 0 ? null : [.. batches.Select(b => new BatchSpeedDocument(b.Rows, b.Sequences.Rates(), b.Sequences.RatioTo(one), b.One.Rates(), b.One.RatioTo(one)))],
            run.Get(_profile) ? BenchProfile.Measure(run, works, prompt, decode, depth, rounds) : null);
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

    private static long ResidentBytes()
    {
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }

    private static void Print(Invocation run, BenchDocument bench)
    {
        var rows = new List<string[]> { Row("prompt", bench.Prefill.Tokens, bench.Prefill.Tps), Row("decode", bench.Decode.Tokens, bench.Decode.Tps) };
        if (bench.DecodeDeep is { } deep)
            rows.Add(Row(string.Create(CultureInfo.InvariantCulture, $"decode behind {deep.Depth}"), deep.Tokens, deep.Tps, deep.Ratio));
        foreach (var batch in bench.Batches ?? [])
        {
            rows.Add(Row(string.Create(CultureInfo.InvariantCulture, $"{batch.Rows} sequences"), bench.Decode.Tokens * batch.Rows, batch.SequencesTps, batch.SequencesRatio));
            rows.Add(Row(string.Create(CultureInfo.InvariantCulture, $"{batch.Rows} tokens of one"), bench.Decode.Tokens, batch.OneTps, batch.OneRatio));
        }
        run.WriteTable($"{bench.Model}, {bench.Threads} threads, {bench.Cpu}", ["", "tokens", "tokens/s", "lowest", "highest", "÷ decode"], rows);
        run.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"load {bench.LoadMs:F0} ms, memory {bench.RssMb:F0} MB, file {bench.FileMb:F0} MB"));
        if (bench.Profile is { } profile)
            BenchProfile.Print(run, profile);
    }

    private static string[] Row(string name, int tokens, SpreadDocument tps, SpreadDocument? ratio = null) =>
        [name, tokens.ToString(CultureInfo.InvariantCulture), Text(tps.Median), Text(tps.Min), Text(tps.Max), ratio?.Median.ToString("F2", CultureInfo.InvariantCulture) ?? ""];

    private static string Text(double value) => value.ToString("F1", CultureInfo.InvariantCulture);
}
