using System.CommandLine;
using System.Globalization;
using OpenHearth.Cli.Rendering;
using OpenHearth.Engine;
using OpenHearth.Engine.Evaluation;

namespace OpenHearth.Cli.Commands;

/// <summary><c>hearth perplexity</c>: how well a model predicts a text.</summary>
internal sealed class PerplexityCommand
{
    private const int SmallestWindow = 4;

    public static CommandEntry Entry { get; } = new("perplexity", "How well a model predicts a text, measured as llama.cpp does.",
    [
        "hearth perplexity smollm2 --file wiki.test.raw",
        "hearth perplexity smollm2 --file wiki.test.raw --ctx 512 --chunks 20 --json",
    ], (command, options) => new PerplexityCommand(command, options).Execute);

    private readonly CommonOptions _options;
    private readonly Option<int> _chunks = new("--chunks") { Description = "Stop after so many windows (default: the whole text).", HelpName = "N" };

    private PerplexityCommand(Command command, CommonOptions options)
    {
        _options = options;
        command.Add(options.Model);
        foreach (var option in new Option[] { options.File, options.Context, _chunks, options.Exact })
            command.Add(option);
    }

    private int Execute(Invocation run)
    {
        var window = run.Get(_options.Context) ?? 512;
        if (window < SmallestWindow || run.Get(_chunks) < 0)
            throw Failure.WrongCommandLine($"--ctx takes a number from {SmallestWindow}, --chunks one from 1.");
        run.Interrupt.Listen();
        var text = run.Text(null, _options.File);
        using var model = Model.Load(run.ModelPath, new ModelOptions { Threads = run.Threads, Exact = run.Get(_options.Exact), MaximumStepTokens = Math.Max(window, 512) });
        var tokenizer = model.Tokenizer;
        var first = tokenizer.AddBos ? tokenizer.BosId : null;
        var tokens = tokenizer.Encode(text, addSpecial: false);
        if (first is { } bos)
            tokens = [bos, .. tokens];
        if (tokens.Length < window)
            throw Failure.Because($"The text has {tokens.Length} tokens, one window takes {window}. Give a longer text or a smaller --ctx.");
        var windows = run.Get(_chunks) > 0 ? Math.Min(run.Get(_chunks), tokens.Length / window) : tokens.Length / window;
        var running = new List<double>();
        Perplexity? last = null;
        foreach (var measured in Perplexity.Measure(model, tokens, window, windows, first, run.Interrupt.Token))
        {
            last = measured;
            running.Add(measured.Value);
            run.Progress(string.Create(CultureInfo.InvariantCulture, $"window {running.Count} of {windows}: {measured.Value:F4}"));
        }
        run.Progress(null);
        var document = new PerplexityDocument(last!.Value, last.StandardError, last.Scored, running);
        if (run.Json)
            run.WriteJson(document, JsonDocuments.Readable.PerplexityDocument);
        else
            run.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"perplexity {document.Perplexity:F4} ± {document.Stderr:F4} over {document.Tokens} tokens"));
        return ExitCode.Done;
    }
}
