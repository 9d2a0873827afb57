using OpenHearth.Engine.Templates;
using OpenHearth.Engine.Tokenization;

namespace OpenHearth.Engine.Generation;

/// <summary>
/// A conversation on one session: what was said, and the answers of the model to it. The session keeps what prompt and
/// answers have in common with the next prompt. When the context fills up, the oldest turns (a user's message with its
/// answer) are left out of the prompt, whole; system messages and the last turn never are.
/// <see cref="Model.CreateChat"/> makes one; the session is its own and ends with it. Not thread-safe.
/// </summary>
public sealed class Chat : IDisposable
{
    private readonly Generator _generator;
    private readonly ChatTemplate _template;
    private readonly Tokenizer _tokenizer;
    private readonly TemplateOptions _templateOptions;
    private readonly List<ChatTurn> _messages = [];
    private int _dropped;

    internal Chat(ChatTemplate template, Tokenizer tokenizer, ISequence sequence, TemplateOptions? templateOptions = null)
    {
        (_template, _tokenizer, _templateOptions) = (template, tokenizer, templateOptions ?? new TemplateOptions());
        _generator = new Generator(tokenizer, sequence, EndOfTurn.Find(template, tokenizer, _templateOptions));
    }

    /// <summary>All that was said, the turns that no longer fit included.</summary>
    public IReadOnlyList<ChatTurn> Messages => _messages;

    /// <summary>The system message, always the first; null takes it away.</summary>
    public string? System
    {
        get => _messages is [{ Role: "system" } first, ..] ? first.Content : null;
        set
        {
            if (System is not null)
                _messages.RemoveAt(0);
            if (value is not null)
                _messages.Insert(0, new("system", value));
        }
    }

    /// <summary>Appends a message without asking for an answer, as when a saved conversation is read.</summary>
    public void Add(ChatTurn message) => _messages.Add(message);

    /// <summary>Forgets all that was said, the system message excepted.</summary>
    public void Clear()
    {
        _messages.RemoveRange(System is null ? 0 : 1, _messages.Count - (System is null ? 0 : 1));
        _dropped = 0;
    }

    /// <summary>
    /// Says something and gets the answer, which becomes part of the conversation, cancelled ones as far as they got.
    /// Where this throws, the conversation is what it was before.
    /// </summary>
    /// <param name="message">What the user says.</param>
    /// <param name="options">How to choose tokens and when to end.</param>
    /// <param name="onText">Gets the answer in pieces as it is made.</param>
    /// <param name="cancellation">Ends the answer after the current step.</param>
    /// <exception cref="ContextOverflowException">The message, with the system message, is too long for the context.</exception>
    /// <exception cref="TemplateException">The model's template refuses the conversation.</exception>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public ChatReply Reply(string message, GenerationOptions options, Action<string>? onText = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var before = _messages.Count;
        _messages.Add(new("user", message));
        try
        {
            var reply = Answer(_messages, options, _dropped, onText, cancellation);
            _dropped = reply.DroppedTurns;
            _messages.Add(new("assistant", reply.Result.Text));
            return reply;
        }
        catch
        {
            _messages.RemoveRange(before, _messages.Count - before);
            throw;
        }
    }

    /// <summary>Ends the session.</summary>
    public void Dispose() => _generator.Dispose();

    /// <summary>Answers messages that are kept elsewhere.</summary>
    internal ChatReply Answer(
        IReadOnlyList<ChatTurn> messages, GenerationOptions options, int dropped, Action<string>? onText, CancellationToken cancellation)
    {
        options.Validate();
        var fitted = new ChatContext(_template, _tokenizer, _templateOptions, _generator.ContextLength).Fit(messages, options.MaxTokens, dropped);
        return new(_generator.Generate(fitted.Ids, options, onText, cancellation), fitted.DroppedTurns);
    }
}

/// <summary>An answer within a chat.</summary>
/// <param name="Result">The answer.</param>
/// <param name="DroppedTurns">How many of the oldest turns the model did not see because the context is full.</param>
public sealed record ChatReply(GenerationResult Result, int DroppedTurns);
