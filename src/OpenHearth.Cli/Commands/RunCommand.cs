using System.CommandLine;
using System.Diagnostics;
using OpenHearth.Cli.Chat;
using OpenHearth.Cli.Rendering;
using OpenHearth.Engine;
using OpenHearth.Engine.Generation;

namespace OpenHearth.Cli.Commands;

/// <summary><c>hearth run</c>: an answer, or a chat.</summary>
internal sealed class RunCommand
{
    public static CommandEntry Entry { get; } = new("run", "Answer a prompt, or chat.",
    [
        "hearth run smollm2 \"Why is the sky blue?\"",
        "hearth run smollm2",
        "cat notes.txt | hearth run smollm2 \"Summarize:\"",
        "hearth run smollm2 --system \"Answer in French.\" --temperature 0 \"Good morning\"",
        "hearth run smollm2 --raw --ctx 512 --max-tokens 2000 --context-shift \"Once upon a time\"",
        "hearth run model.gguf --raw --max-tokens 32 --json \"Once upon a time\"",
    ], (command, options) => new RunCommand(command, options).Execute);

    private readonly CommonOptions _options;
    private readonly GenerationSwitches _generation = new();
    private readonly CacheSwitches _cache = new();
    private readonly Argument<string[]> _prompt = new("PROMPT") { Description = "What to ask; without it, a chat on a terminal, otherwise standard input.", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<string?> _system = new("--system") { Description = "What the model should know or be before the first message.", HelpName = "S" };
    private readonly Option<bool> _raw = new("--raw") { Description = "Continue the prompt as it stands, without the chat template." };

    private RunCommand(Command command, CommonOptions options)
    {
        _options = options;
        command.Add(options.Model);
        command.Add(_prompt);
        command.Add(_system);
        command.Add(_raw);
        _generation.AddTo(command);
        command.Add(options.Context);
        _cache.AddTo(command);
    }

    private int Execute(Invocation run)
    {
        var generation = _generation.Read(run);
        var path = run.ModelPath;
        var words = string.Join(' ', run.Get(_prompt)!);
        var raw = run.Get(_raw);
        if (raw && run.Get(_system) is not null)
            throw Failure.WrongCommandLine("--system needs the chat template, which --raw leaves out.");
        var chat = words.Length == 0 && !raw && !run.Json && run.Terminal is { InputIsTerminal: true, OutputIsTerminal: true };
        var prompt = chat ? "" : Prompt(run, words, raw);
        run.Interrupt.Listen();

        var start = Stopwatch.GetTimestamp();
        var model = run.Load(path, _cache.Over(new ModelOptions { ContextLength = run.Get(_options.Context) ?? 0 }, run));
        var load = Stopwatch.GetElapsedTime(start);
        run.Log.Debug($"{model.Info.Name} loaded in {load.TotalMilliseconds:F0} ms, {model.Threads} threads.");
        if (raw)
            return Answer(run, load, (onText, stop) => run.Own(model.CreateGenerator()).Generate(prompt, generation, onText, stop));
        var conversation = run.Own(model.CreateChat(new Engine.Templates.TemplateOptions { Clock = run.Clock }));
        conversation.System = run.Get(_system);
        if (model.ChatTemplateIsGuess)
            run.Log.Warning($"{model.Info.Name} brings no chat template; ChatML is a guess. --raw continues a text without one.");
        return chat
            ? new ChatLoop(run, model, conversation, generation).Run()
            : Answer(run, load, (onText, stop) => conversation.Reply(prompt, generation, onText, stop).Result);
    }

    /// <summary>The words of the command line and what comes on a pipe, joined.</summary>
    private static string Prompt(Invocation run, string words, bool raw)
    {
        if (run.Terminal.InputIsTerminal && words.Length > 0)
            return words;
        if (run.Terminal.InputIsTerminal)
            run.Terminal.Error.WriteLine("hearth: type the prompt; Ctrl-D ends it.");
        var input = run.ReadInput();
        if (!raw)
            input = input.TrimEnd();
        if (words.Length + input.Length == 0)
            throw Failure.WrongCommandLine("There is no prompt: give one, or pipe it in.");
        return words.Length == 0 ? input : input.Length == 0 ? words : $"{words}\n\n{input}";
    }

    private static int Answer(Invocation run, TimeSpan load, Func<Action<string>, CancellationToken, GenerationResult> generate)
    {
        var markdown = !run.Json && run.Terminal.Styled ? new MarkdownStream(run.Out, run.Terminal.Width) : null;
        var result = generate(Receiver(run, markdown), run.Interrupt.Token);
        if (run.Json)
            run.WriteJson(Document(run, load, result), JsonDocuments.Readable.RunDocument);
        else if (markdown is not null)
            markdown.End();
        else if (!result.Text.EndsWith('\n'))
            run.Out.WriteLine();
        run.Log.Info(Speeds.Of(result));
        if (result.ForgottenTokens > 0)
            run.Log.Warning($"the context was full: {result.ForgottenTokens} of the oldest tokens were forgotten.");
        if (result.FinishReason == FinishReason.Length)
            run.Log.Info("The answer is cut: it reached --max-tokens or the end of the context.");
        return result.FinishReason == FinishReason.Cancelled ? ExitCode.Cancelled : ExitCode.Done;
    }

    /// <summary>Takes the answer in pieces.</summary>
    private static Action<string> Receiver(Invocation run, MarkdownStream? markdown)
    {
        Action<string> write = run.Json ? _ => { } : markdown is not null ? text => markdown.Write(text) : run.Stream;
        if (!run.Log.Writes(LogLevel.Debug))
            return write;
        var isFirst = true;
        return text =>
        {
            write(text);
            if (isFirst)
                run.Log.Debug($"first token {StartUp.Report()}");
            isFirst = false;
        };
    }

    private static RunDocument Document(Invocation run, TimeSpan load, GenerationResult result) => new(
        run.ModelName,
        result.Text,
        result.FinishReason switch { FinishReason.Stop => "stop", FinishReason.Length => "length", _ => "cancelled" },
        result.PromptTokens,
        result.Tokens.Count,
        new TimingsDocument(
            Round(load.TotalMilliseconds), Round(result.Timings.Prompt.TotalMilliseconds), Round(result.Timings.PromptTokensPerSecond),
            Round(result.Timings.Decode.TotalMilliseconds), Round(result.Timings.DecodeTokensPerSecond)),
        result.Seed);

    private static double Round(double value) => Math.Round(value, 2);
}
