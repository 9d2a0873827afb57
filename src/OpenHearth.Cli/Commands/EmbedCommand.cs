using System.CommandLine;
using System.Globalization;
using OpenHearth.Cli.Rendering;
using OpenHearth.Engine;
using OpenHearth.Engine.Embeddings;

namespace OpenHearth.Cli.Commands;

/// <summary><c>hearth embed</c>: texts to vectors.</summary>
internal static class EmbedCommand
{
    private static readonly string[] Poolings = ["mean", "cls", "last"];

    public static CommandEntry Entry { get; } = new("embed", "Texts to vectors of length 1, with an embedding model.",
    [
        "hearth embed all-minilm-l6-v2-q8_0.gguf \"A cat sits on the mat.\" \"A kitten rests on the rug.\" --json",
        "hearth embed all-minilm-l6-v2-q8_0.gguf --file abstract.txt",
        "echo Hello | hearth embed ./bge-small-en-v1.5 --pooling cls",
    ], Declare);

    private static Func<Invocation, int> Declare(Command command, CommonOptions options)
    {
        var texts = new Argument<string[]>("TEXT") { Description = "The texts, one vector each; without them, --file or standard input is one text.", Arity = ArgumentArity.ZeroOrMore };
        var pooling = new Option<string?>("--pooling") { Description = "How tokens become one vector: mean, cls, last (default: what the model says, or mean).", HelpName = "KIND" };
        pooling.AcceptOnlyFromAmong(Poolings);
        command.Add(options.Model);
        command.Add(texts);
        command.Add(options.File);
        command.Add(pooling);
        command.Add(options.Exact);
        return run =>
        {
            var given = run.Get(texts) ?? [];
            if (given.Length > 1 && run.Has(options.File))
                throw Failure.WrongCommandLine("Give texts or --file, not both.");
            var inputs = given.Length > 1 ? given : [run.Text(given.FirstOrDefault(), options.File)];
            var kind = run.Get(pooling) is { } name ? (Pooling?)Array.IndexOf(Poolings, name) : null;
            return Print(run, Embed(run, inputs, kind, run.Get(options.Exact)));
        };
    }

    private static EmbeddingsDocument Embed(Invocation run, string[] texts, Pooling? pooling, bool exact)
    {
        var model = run.Load(run.ModelPath, new ModelOptions { Exact = exact });
        using var embedder = new Embedder(model, pooling);
        try
        {
            return new EmbeddingsDocument(run.ModelName, embedder.Dimensions, embedder.Embed(texts, run.Interrupt.Token));
        }
        catch (ContextOverflowException tooLong)
        {
            throw Failure.Because($"{tooLong.Message} Cut it into parts.", tooLong);
        }
    }

    private static int Print(Invocation run, EmbeddingsDocument document)
    {
        if (run.Json)
            run.WriteJson(document, JsonDocuments.Readable.EmbeddingsDocument);
        else
        {
            foreach (var vector in document.Embeddings)
                run.Out.WriteLine(string.Join(' ', vector.Select(value => value.ToString(CultureInfo.InvariantCulture))));
        }
        return ExitCode.Done;
    }
}
