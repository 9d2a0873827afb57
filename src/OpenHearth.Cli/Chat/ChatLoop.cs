using OpenHearth.Cli.Commands;
using OpenHearth.Cli.Rendering;
using OpenHearth.Engine;
using OpenHearth.Engine.Generation;

namespace OpenHearth.Cli.Chat;

/// <summary>A conversation on a terminal: reads a message or a slash command, streams the answer, until somebody leaves.</summary>
internal sealed class ChatLoop
{
    private const string Prompt = ">>> ", Continuation = "... ", Quotes = "\"\"\"";

    private readonly Invocation _run;
    private readonly LineEditor _editor;
    private readonly History _history = new();
    private int _dropped;

    /// <summary>Begins a chat; <paramref name="conversation"/> belongs to the caller.</summary>
    public ChatLoop(Invocation run, Model model, Engine.Generation.Chat conversation, GenerationOptions generation)
    {
        (_run, Model, Conversation, Generation) = (run, model, conversation, generation);
        _editor = new LineEditor(run.Terminal, _history, SlashCommands.Completions);
    }

    /// <summary>Who answers.</summary>
    public Model Model { get; }

    /// <summary>What was said.</summary>
    public Engine.Generation.Chat Conversation { get; }

    /// <summary>How answers are made from now on.</summary>
    public GenerationOptions Generation { get; set; }

    /// <summary>True to show the speed of each answer.</summary>
    public bool Verbose { get; set; }

    /// <summary>Where conversations are saved.</summary>
    public SavedChats Saved => new(Path.Combine(_run.Home, "sessions"));

    /// <summary>Chats until the user leaves; returns the exit code.</summary>
    public int Run()
    {
        Say($"{_run.ModelName}. /help lists the commands, {Quotes} begins and ends a message of several lines, Ctrl-D leaves.");
        while (ReadMessage() is { } message)
        {
            if (message.Length == 0)
                continue;
            _history.Add(message);
            try
            {
                if (!message.StartsWith('/'))
                    Answer(Unquoted(message));
                else if (!SlashCommands.Run(this, message))
                    break;
            }
#pragma warning disable CA1031 // One message that fails must not end the chat.
            catch (Exception thrown)
#pragma warning restore CA1031
            {
                Say(Failure.From(thrown).Message);
                _run.Log.Debug(thrown.ToString());
            }
        }
        return ExitCode.Done;
    }

    /// <summary>A remark of the program, set apart from answers.</summary>
    public void Say(string text)
    {
        _run.Out.WriteLine(_run.Terminal.Styled ? $"\e[2m{text}\e[22m" : text);
        _run.Out.Flush();
    }

    /// <summary>The model no longer sees any turn as dropped: the conversation was replaced.</summary>
    public void Forget() => _dropped = 0;

    private void Answer(string message)
    {
        var markdown = _run.Terminal.Styled ? new MarkdownStream(_run.Out, _run.Terminal.Width) : null;
        var reply = Conversation.Reply(message, Generation, markdown is null ? _run.Stream : text => markdown.Write(text), _run.Interrupt.Renew());
        if (markdown is not null)
            markdown.End();
        else
            _run.Out.WriteLine();
        if (reply.Result.FinishReason == FinishReason.Cancelled)
            Say("[stopped]");
        else if (reply.Result.FinishReason == FinishReason.Length)
            Say(Generation.MaxTokens == reply.Result.Tokens.Count ? $"[cut at {Generation.MaxTokens} tokens: /set max_tokens]" : "[cut: the context is full]");
        if (reply.DroppedTurns > _dropped)
            Say($"[The context is full: the model no longer sees the oldest {(reply.DroppedTurns == 1 ? "turn" : $"{reply.DroppedTurns} turns")}. /clear starts anew.]");
        _dropped = reply.DroppedTurns;
        if (Verbose)
            Say($"[{Speeds.Of(reply.Result)}]");
        _run.Out.WriteLine();
    }

    /// <summary>The next message, or null to leave.</summary>
    private string? ReadMessage()
    {
        var leaving = false;
        while (true)
        {
            var (outcome, text) = _editor.Read(Prompt);
            if (outcome == LineOutcome.EndOfInput || (outcome == LineOutcome.Interrupted && leaving && text.Length == 0))
                return null;
            leaving = outcome == LineOutcome.Interrupted && text.Length == 0;
            if (leaving)
                Say("Ctrl-C again, Ctrl-D or /bye leaves.");
            else if (outcome == LineOutcome.Line && !text.TrimStart().StartsWith(Quotes, StringComparison.Ordinal))
                return text.Trim();
            else if (outcome == LineOutcome.Line && ReadQuoted(text.TrimStart()) is { } message)
                return message;
        }
    }

    /// <summary>Reads on until a line ends with the quotes; null when the user breaks it off.</summary>
    private string? ReadQuoted(string first)
    {
        var message = first.TrimEnd();
        while (message.Length < 2 * Quotes.Length || !message.EndsWith(Quotes, StringComparison.Ordinal))
        {
            var (outcome, text) = _editor.Read(Continuation);
            if (outcome != LineOutcome.Line)
                return null;
            message = $"{message}\n{text.TrimEnd()}";
        }
        return message;
    }

    private static string Unquoted(string message) =>
        message.StartsWith(Quotes, StringComparison.Ordinal) ? message[Quotes.Length..^Quotes.Length].Trim('\n') : message;
}
