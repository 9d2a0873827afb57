using System.CommandLine;
using OpenHearth.Cli.Models;
using OpenHearth.Cli.Rendering;

namespace OpenHearth.Cli.Commands;

/// <summary><c>hearth detokenize</c>: token ids to text.</summary>
internal static class DetokenizeCommand
{
    public static CommandEntry Entry { get; } = new("detokenize", "Token ids to text.",
    [
        "hearth detokenize smollm2 --ids 19556,28,905",
        "hearth detokenize smollm2 --ids 1,19556,2 --skip-special --json",
    ], Declare);

    private static Func<Invocation, int> Declare(Command command, CommonOptions options)
    {
        var skipSpecial = new Option<bool>("--skip-special") { Description = "Leave out special tokens such as BOS and EOS." };
        command.Add(options.Model);
        command.Add(options.Ids);
        command.Add(skipSpecial);
        command.Add(options.Batch);
        return run =>
        {
            var ids = run.Get(options.Ids) is { } list ? JsonInput.Ids(list) : null;
            var batch = run.Get(options.Batch);
            if (ids is null == batch is null)
                throw Failure.WrongCommandLine("Give either --ids or --batch.");
            var tokenizer = ModelTokenizer.Open(run.ModelPath);
            if (batch is not null)
                return Batches.Run(run, batch, item => new TextDocument(tokenizer.Decode(JsonInput.Ids(item), run.Get(skipSpecial))), JsonDocuments.Readable.TextDocument);
            run.WriteText(tokenizer.Decode(ids, run.Get(skipSpecial)));
            return ExitCode.Done;
        };
    }
}
