using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using OpenHearth.Cli.Rendering;
using OpenHearth.Engine;

namespace OpenHearth.Cli.Commands;

/// <summary><c>hearth logits</c>: the raw results of a model.</summary>
internal sealed class LogitsCommand
{
    private const int LargestStep = 16 << 20; // values computed and held at a time

    public static CommandEntry Entry { get; } = new("logits", "The raw results of a model for token ids.",
    [
        "hearth logits smollm2 --ids 504,260,253 --top 5",
        "hearth logits smollm2 --ids-file ids.json --exact --out logits.f32 --json",
    ], (command, options) => new LogitsCommand(command, options).Execute);

    private readonly CommonOptions _options;
    private readonly CacheSwitches _cache = new();
    private readonly Option<string?> _idsFile = new("--ids-file") { Description = "A JSON array of token ids.", HelpName = "F.json" };
    private readonly Option<int?> _top = new("--top") { Description = "Show the K highest of each row.", HelpName = "K" };
    private readonly Option<string?> _out = new("--out") { Description = "Write all values as little-endian F32, row after row.", HelpName = "F.f32" };

    private LogitsCommand(Command command, CommonOptions options)
    {
        _options = options;
        command.Add(options.Model);
        foreach (var option in new Option[] { options.Ids, _idsFile, options.Batch, options.Context, options.Exact, _top, _out })
            command.Add(option);
        _cache.AddTo(command);
    }

    private int Execute(Invocation run)
    {
        var batch = run.Get(_options.Batch);
        var list = run.Get(_options.Ids);
        var file = run.Get(_idsFile);
        var top = run.Get(_top);
        if ((list is null ? 0 : 1) + (file is null ? 0 : 1) + (batch is null ? 0 : 1) != 1)
            throw Failure.WrongCommandLine("Give one of --ids, --ids-file and --batch.");
        if (top is <= 0)
            throw Failure.WrongCommandLine("--top takes a number from 1.");
        if (batch is not null && (top is null || run.Has(_out)))
            throw Failure.WrongCommandLine("--batch goes with --top, and without --out.");
        var ids = list is not null ? JsonInput.Ids(list) : file is not null ? JsonInput.Ids(JsonInput.Read(file, JsonValueKind.Array)) : [];
        var model = run.Load(run.ModelPath, _cache.Over(new ModelOptions { Exact = run.Get(_options.Exact), ContextLength = run.Get(_options.Context) ?? 0 }, run));
        if (batch is not null)
            return Batches.Run(run, batch, item => Compute(model, JsonInput.Ids(item), top, null, run.Interrupt.Token), JsonDocuments.Readable.LogitsDocument);
        run.Interrupt.Listen();
        var document = run.Get(_out) is { } path ? WriteWhole(path, output => Compute(model, ids, top, output, run.Interrupt.Token)) : Compute(model, ids, top, null, run.Interrupt.Token);
        if (run.Json)
            run.WriteJson(document, JsonDocuments.Readable.LogitsDocument);
        else
            Print(run, document);
        return ExitCode.Done;
    }

    /// <summary>Gives the file its name when all of it is written, so that no part of one is taken for results. What is no file, such as a device, is written as it is.</summary>
    private static LogitsDocument WriteWhole(string path, Func<Stream, LogitsDocument> write)
    {
        var exists = File.Exists(path);
        if (exists && new FileInfo(path) is { Length: 0 } or { LinkTarget: not null })
        {
            using var direct = File.Create(path);
            return write(direct);
        }
        if (exists)
            File.OpenWrite(path).Dispose(); // throws where it may not be replaced: read-only, or the model itself
        var partial = $"{path}.{Environment.ProcessId}.partial";
        if (Directory.Exists(path) || (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder && !Directory.Exists(folder)))
            throw Failure.NotFound($"--out {path} can't be written: {(Directory.Exists(path) ? "it is a folder" : "there is no such folder")}.");
        try
        {
            LogitsDocument document;
            using (var output = File.Create(partial))
                document = write(output);
            File.Move(partial, path, overwrite: true);
            return document;
        }
        finally
        {
            File.Delete(partial);
        }
    }

    private static LogitsDocument Compute(Model model, int[] ids, int? top, Stream? output, CancellationToken cancelled)
    {
        if (ids.Length == 0)
            throw Failure.Because("There are no token ids.");
        var width = model.Info.OutputWidth;
        using var session = model.CreateSession(ids.Length);
        var best = top is null ? null : new List<Candidate[]>(ids.Length);
        // An encoder sees all tokens at once; a decoder's rows are the same in any pieces.
        var step = model.Info.GivesLogits ? Math.Clamp(LargestStep / width, 1, ids.Length) : ids.Length;
        var values = new float[step * width]; // [step, width]
        for (var done = 0; done < ids.Length; done += step)
        {
            cancelled.ThrowIfCancellationRequested();
            var count = Math.Min(step, ids.Length - done);
            var rows = values.AsSpan(0, count * width);
            session.Step(ids.AsSpan(done, count), rows);
            for (var row = 0; best is not null && row < count; row++)
                best.Add(Highest(rows.Slice(row * width, width), top!.Value));
            if (output is not null)
                LittleEndian.Write(output, rows);
        }
        return new LogitsDocument([ids.Length, width], model.Info.GivesLogits ? "logits" : "hidden", best);
    }

    private static Candidate[] Highest(ReadOnlySpan<float> row, int count)
    {
        count = Math.Min(count, row.Length);
        var queue = new PriorityQueue<int, (float, int)>(count + 1); // the lowest first; of equals the highest id
        for (var id = 0; id < row.Length; id++)
        {
            if (queue.Count < count)
                queue.Enqueue(id, (row[id], -id));
            else
                queue.EnqueueDequeue(id, (row[id], -id));
        }
        var highest = new Candidate[count];
        for (var i = count - 1; i >= 0; i--)
        {
            var id = queue.Dequeue();
            highest[i] = new Candidate(id, row[id]);
        }
        return highest;
    }

    private static void Print(Invocation run, LogitsDocument document)
    {
        run.Out.WriteLine($"{document.Kind} [{document.Shape[0]}, {document.Shape[1]}]");
        foreach (var row in document.Top ?? [])
            run.Out.WriteLine(string.Join("  ", row.Select(entry => string.Create(CultureInfo.InvariantCulture, $"{entry.Id}:{entry.Logit:F4}"))));
    }
}
