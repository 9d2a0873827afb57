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
        "hearth perplexity smollm2 --file wiki.test.raw --chunks 20 --compare-exact",
        "hearth perplexity smollm2 --file wiki.test.raw --chunks 20 --cache-type-k q8_0 --cache-type-v q8_0",
    ], (command, options) => new PerplexityCommand(command, options).Execute);

    private readonly CommonOptions _options;
    private readonly CacheSwitches _cache = new();
    private readonly Option<int?> _chunks = CommonOptions.Counts("--chunks", "Stop after so many windows (default: the whole text).");
    private readonly Option<bool> _compare = new("--compare-exact") { Description = "Also what --exact gives, and how often both would choose the same token." };

    private PerplexityCommand(Command command, CommonOptions options)
    {
        _options = options;
        command.Add(options.Model);
        foreach (var option in new Option[] { options.File, options.Context, _chunks, options.Exact, _compare })
            command.Add(option);
        _cache.AddTo(command);
    }

    private int Execute(Invocation run)
    {
        var window = run.Get(_options.Context) ?? 512;
        if (window < SmallestWindow)
            throw Failure.WrongCommandLine($"--ctx takes a whole number from {SmallestWindow} here, not '{window}'.");
        if (run.Get(_compare) && run.Get(_options.Exact))
            throw Failure.WrongCommandLine("--compare-exact compares the default with --exact; give one of them.");
        run.Interrupt.Listen();
        var text = run.Text(null, _options.File);
        var options = _cache.Over(new ModelOptions { ContextLength = run.Get(_options.Context) ?? 0, Exact = run.Get(_options.Exact), MaximumStepTokens = Math.Max(window, 512) }, run);
        var model = run.Load(run.ModelPath, options);
        using var reference = run.Get(_compare) ? Model.Load(run.ModelPath, options with { Exact = true, Threads = run.Threads }) : null;
        var tokenizer = model.Tokenizer;
        var first = tokenizer.AddBos ? tokenizer.BosId : null;
        var tokens = tokenizer.Encode(text, addSpecial: false);
        if (first is { } bos)
            tokens = [bos, .. tokens];
        if (tokens.Length < window)
            throw Failure.Because($"The text has {tokens.Length} tokens, one window takes {window}. Give a longer text or a smaller --ctx.");
        var windows = Math.Min(run.Get(_chunks) ?? int.MaxValue, tokens.Length / window);
        var running = new List<double>();
        Perplexity? last = null;
        Agreement? agreement = null;
        foreach (var measured in Measure())
        {
            last = measured;
            running.Add(measured.Value);
            run.Progress(string.Create(CultureInfo.InvariantCulture, $"window {running.Count} of {windows}: {measured.Value:F4}"));
        }
        run.Progress(null);
        var document = new PerplexityDocument(last!.Value, last.StandardError, last.Scored, running, agreement is null ? null : Document(agreement));
        if (run.Json)
            run.WriteJson(document, JsonDocuments.Readable.PerplexityDocument);
        else
            Print(run, document);
        return ExitCode.Done;

        IEnumerable<Perplexity> Measure() => reference is null
            ? Perplexity.Measure(model, tokens, window, windows, first, run.Interrupt.Token)
            : Agreement.Measure(model, reference, tokens, window, windows, first, run.Interrupt.Token).Select(now => (agreement = now).Perplexity);
    }

    private static AgreementDocument Document(Agreement agreement) => new(
        agreement.ReferencePerplexity.Value, agreement.ReferencePerplexity.StandardError, agreement.TopAgreement, agreement.MeanDivergence, agreement.LargestDivergence);

    private static void Print(Invocation run, PerplexityDocument document)
    {
        run.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"perplexity {document.Perplexity:F4} ± {document.Stderr:F4} over {document.Tokens} tokens"));
        if (document.ComparedWithExact is not { } exact)
            return;
        run.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"exact      {exact.Perplexity:F4} ± {exact.Stderr:F4}"));
        run.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"same most probable token {exact.Top1Agreement * 100:F2}%, KL divergence {exact.MeanKlDivergence:E2} in the mean, {exact.MaxKlDivergence:E2} at most"));
    }
}
