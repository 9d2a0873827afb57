using System.CommandLine;
using System.Globalization;
using OpenHearth.Cli.Rendering;
using OpenHearth.Engine;

namespace OpenHearth.Cli.Commands;

/// <summary><c>hearth show</c>: what a model's files say of it.</summary>
internal sealed class ShowCommand
{
    private const int LongestValue = 100;

    public static CommandEntry Entry { get; } = new("show", "What a model is: architecture, size, context, licence, template, metadata.",
    [
        "hearth show smollm2",
        "hearth show model.gguf --json",
        "hearth show smollm2 --memory --ctx 8192 --cache-type-k q8_0",
    ], (command, options) => new ShowCommand(command, options).Execute);

    private readonly CommonOptions _options;
    private readonly CacheSwitches _cache = new();
    private readonly Option<bool> _memory = new("--memory") { Description = "What a session of --ctx tokens takes to run, instead." };

    private ShowCommand(Command command, CommonOptions options)
    {
        _options = options;
        command.Add(options.Model);
        command.Add(_memory);
        command.Add(options.Context);
        _cache.AddTo(command);
    }

    private int Execute(Invocation run)
    {
        if (run.Get(_memory))
            return ShowMemory(run);
        if (run.Has(_options.Context) || _cache.AreGiven(run))
            throw Failure.WrongCommandLine("--ctx and cache types go with --memory.");
        var card = ModelCard.Read(run.ModelPath);
        if (run.Json)
            run.WriteJson(Document(card), JsonDocuments.Readable.CardDocument);
        else
            Print(run, card);
        return ExitCode.Done;
    }

    private int ShowMemory(Invocation run)
    {
        var model = run.Load(run.ModelPath, _cache.Over(new ModelOptions { ContextLength = run.Get(_options.Context) ?? 0 }, run));
        var tokens = run.Get(_options.Context) ?? model.Info.ContextLength;
        var memory = model.PredictMemory(tokens);
        var document = new MemoryDocument(
            run.ModelName, tokens, memory.Weights, memory.Cache, memory.State, memory.Activations, memory.Workspaces, memory.Program, memory.Total, Computer.MemoryBytes);
        if (run.Json)
            run.WriteJson(document, JsonDocuments.Readable.MemoryDocument);
        else
            PrintMemory(run, document);
        return ExitCode.Done;
    }

    private static void PrintMemory(Invocation run, MemoryDocument memory)
    {
        static string[] Row(string name, long bytes) => [name, string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:F1}")];
        run.WriteTable($"{memory.Model}, {memory.Context} tokens", ["", "MB"],
        [
            Row("weights", memory.WeightBytes), Row("cache", memory.CacheBytes), Row("state", memory.StateBytes), Row("activations", memory.ActivationBytes),
            Row("workspaces", memory.WorkspaceBytes), Row("program", memory.ProgramBytes), Row("total", memory.TotalBytes), Row("this computer", memory.AvailableBytes),
        ]);
    }

    private static CardDocument Document(ModelCard card)
    {
        var metadata = new Dictionary<string, string>();
        foreach (var (key, value) in card.Metadata)
            metadata[key] = value;
        return new CardDocument(
            card.Name, card.Path, card.Format, card.Architecture, card.IsSupported, card.Parameters, card.ContextLength, card.Layers, card.FileBytes,
            card.License, [.. card.TensorTypes.Select(type => new TensorsDocument(type.Type, type.Tensors, type.Parameters))], card.ChatTemplate, metadata);
    }

    private static void Print(Invocation run, ModelCard card)
    {
        run.WriteTable("", ["", ""],
        [
            ["name", card.Name],
            ["file", string.Create(CultureInfo.InvariantCulture, $"{card.Path}, {card.Format}, {card.FileBytes / 1e6:F1} MB")],
            ["architecture", card.IsSupported ? card.Architecture : $"{card.Architecture} (not supported: it can be shown but not run)"],
            ["parameters", string.Create(CultureInfo.InvariantCulture, $"{card.Parameters / 1e6:F1} million")],
            ["context", card.ContextLength is { } context ? $"{context} tokens" : "not named"],
            ["licence", card.License ?? "not named"],
            ["chat template", card.ChatTemplate is { } template ? $"{template.Length} characters" : "none"],
        ]);
        run.Out.WriteLine();
        run.WriteTable("", ["type", "tensors", "parameters"], [.. card.TensorTypes.Select(type => new[]
        {
            type.Type, type.Tensors.ToString(CultureInfo.InvariantCulture), type.Parameters.ToString(CultureInfo.InvariantCulture),
        })]);
        run.Out.WriteLine();
        run.WriteTable("", ["metadata", "value"], [.. card.Metadata.Select(pair => new[] { pair.Key, OneLine(pair.Value) })]);
        if (card.ChatTemplate is not null)
            run.Out.WriteLine($"\n{string.Concat(card.ChatTemplate.Where(c => c is '\n' || !TextWidth.IsControl(c)))}");
    }

    private static string OneLine(string value)
    {
        value = value.ReplaceLineEndings("\\n");
        return value.Length <= LongestValue ? value : value[..LongestValue] + "…";
    }
}
