using System.CommandLine;
using OpenHearth.Cli.Models;
using OpenHearth.Cli.Rendering;
using OpenHearth.Engine.Tokenization;

namespace OpenHearth.Cli.Commands;

/// <summary><c>hearth tokenize</c>: text to token ids.</summary>
internal static class TokenizeCommand
{
    public static CommandEntry Entry { get; } = new("tokenize", "Text to token ids, with the model's own tokenizer.",
    [
        "hearth tokenize smollm2 \"Hello, world\"",
        "hearth tokenize smollm2 --file notes.txt --json",
        "echo Hello | hearth tokenize smollm2 --no-special",
    ], Declare);

    private static Func<Invocation, int> Declare(Command command, CommonOptions options)
    {
        var text = new Argument<string?>("TEXT") { Description = "The text; without it, --file or standard input.", Arity = ArgumentArity.ZeroOrOne };
        var noSpecial = new Option<bool>("--no-special") { Description = "Leave out what the model wants around a text: BOS, EOS." };
        var parseSpecial = new Option<bool>("--parse-special") { Description = "Read special tokens such as <|im_end|> in the text." };
        command.Add(options.Model);
        command.Add(text);
        command.Add(options.File);
        command.Add(noSpecial);
        command.Add(parseSpecial);
        command.Add(options.Batch);
        return run =>
        {
            var tokenizer = ModelTokenizer.Open(run.ModelPath);
            var how = new EncodeOptions(AddSpecial: !run.Get(noSpecial), ParseSpecial: run.Get(parseSpecial));
            return run.Get(options.Batch) is { } batch
                ? Batches.Run(run, batch, item => Document(tokenizer, JsonInput.Text(item), how), JsonDocuments.Readable.TokensDocument)
                : Print(run, Document(tokenizer, run.Text(run.Get(text), options.File), how));
        };
    }

    private static TokensDocument Document(Tokenizer tokenizer, string text, EncodeOptions how)
    {
        var tokens = tokenizer.EncodeWithOffsets(text, how);
        return new TokensDocument(tokens.Ids, [.. tokens.Ids.Select(tokenizer.Piece)], [.. tokens.Offsets.Select(span => new[] { span.Start, span.End })]);
    }

    private static int Print(Invocation run, TokensDocument tokens)
    {
        if (run.Json)
        {
            run.WriteJson(tokens, JsonDocuments.Readable.TokensDocument);
            return ExitCode.Done;
        }
        for (var i = 0; i < tokens.Ids.Count; i++)
            run.Out.WriteLine($"{tokens.Ids[i]}\t{Visible(tokens.Pieces[i])}");
        return ExitCode.Done;
    }

    /// <summary>Control characters written out, so that each token keeps to its line.</summary>
    private static string Visible(string piece) =>
        string.Concat(piece.Select(c => c switch { '\n' => "\\n", '\r' => "\\r", '\t' => "\\t", _ => TextWidth.IsControl(c) ? $"\\x{(int)c:x2}" : c.ToString() }));
}
