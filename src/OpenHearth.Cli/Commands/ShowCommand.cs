using System.CommandLine;
using System.Globalization;
using OpenHearth.Cli.Rendering;
using OpenHearth.Engine;

namespace OpenHearth.Cli.Commands;

/// <summary><c>hearth show</c>: what a model's files say of it.</summary>
internal static class ShowCommand
{
    private const int LongestValue = 100;

    public static CommandEntry Entry { get; } = new("show", "What a model is: architecture, size, context, licence, template, metadata.",
    [
        "hearth show smollm2",
        "hearth show model.gguf --json",
    ], Declare);

    private static Func<Invocation, int> Declare(Command command, CommonOptions options)
    {
        command.Add(options.Model);
        return run =>
        {
            var card = ModelCard.Read(run.ModelPath);
            if (run.Json)
                run.WriteJson(Document(card), JsonDocuments.Readable.CardDocument);
            else
                Print(run, card);
            return ExitCode.Done;
        };
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
