using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.AI;
using OpenHearth.Engine.Templates;

namespace OpenHearth.Engine.Generation;

/// <summary>
/// A model in this process as an <see cref="IChatClient"/>. Safe for many callers at once: their requests wait in one
/// line and are answered one after the other, first come, first served. A request enters the line when its enumeration
/// begins. A caller that goes away does not hold up the others: disposing of the enumerator or cancelling ends the
/// answer after the current token, and an enumerator that is merely forgotten lets its answer run to the end.
/// </summary>
/// <remarks>
/// <para>Messages are text; images, tool calls and tool results get a <see cref="NotSupportedException"/>, and so do tools
/// (unless the tool mode is none), JSON response formats, conversation ids and continuation tokens. Of
/// <see cref="ChatOptions"/> are honoured: instructions, temperature, top-p, top-k, maximum output tokens, stop sequences,
/// seed, frequency and presence penalty, and as additional properties min_p, typical_p, top_n_sigma, repeat_penalty,
/// repeat_last_n, dry_multiplier, dry_base, dry_allowed_length, dry_last_n, xtc_probability, xtc_threshold, mirostat_tau
/// and mirostat_eta. A raw representation factory may give the <see cref="GenerationOptions"/> to start from. A model id
/// is ignored (updates name the model that answers), and so are the other options.</para>
/// <para>Errors (an option out of its range, a prompt longer than the context, a template that refuses the messages) are
/// thrown by the call or the enumeration. When a conversation outgrows the context its oldest turns are left out, never
/// the system message nor the last turn. The last update carries the usage, the finish reason and, as additional
/// properties (of the message where the response is not streamed), <c>seed</c> and <c>dropped_turns</c>. The prompt's beginning that it shares with the request answered
/// before is not computed again.</para>
/// </remarks>
public sealed class HearthChatClient : IChatClient
{
    private readonly BlockingCollection<Request> _line = [];
    private readonly CancellationTokenSource _closing = new();
    private readonly Chat _chat;
    private readonly ChatClientMetadata _metadata;
    private readonly object? _model;
    private readonly Thread _worker;

    /// <summary>Opens a session of a model.</summary>
    /// <param name="model">The model, which must outlive the client and stays the caller's.</param>
    /// <param name="contextLength">Tokens that prompt and answer may have together; 0 for the model's own length, or as much of it as memory holds.</param>
    /// <exception cref="ContextOverflowException">They are more than <see cref="Model.LongestContext"/>, or memory is too small for them.</exception>
    /// <exception cref="NotSupportedException">The model is an encoder.</exception>
    public HearthChatClient(Model model, int contextLength = 0) : this(Required(model).CreateChat(null, contextLength), model.Info.Name, model)
    {
    }

    internal HearthChatClient(Chat chat, string modelId, object? model)
    {
        (_chat, _model) = (chat, model);
        _metadata = new ChatClientMetadata("openhearth", defaultModelId: modelId);
        // Its own thread: an answer computes for seconds, which would starve a thread pool.
        _worker = new Thread(Serve) { IsBackground = true, Name = "HearthChatClient" };
        _worker.Start();
    }

    /// <summary>What holds for requests that do not say otherwise.</summary>
    public GenerationOptions Defaults { get; init; } = new();

    /// <inheritdoc/>
    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        // Read now: the caller may change both before it enumerates.
        return Stream(ChatClientMapping.Turns(messages, options?.Instructions), ChatClientMapping.Options(this, options, Defaults), cancellationToken);
    }

    /// <summary>Gives the <see cref="ChatClientMetadata"/>, the model, or the client itself.</summary>
    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null)
            return null;
        if (serviceType == typeof(ChatClientMetadata))
            return _metadata;
        return serviceType.IsInstanceOfType(this) ? this : serviceType.IsInstanceOfType(_model) ? _model : null;
    }

    /// <summary>
    /// Ends the running answer after its current token, gives everyone who waits an <see cref="ObjectDisposedException"/>
    /// and frees the session. The model stays open.
    /// </summary>
    public void Dispose()
    {
        if (_closing.IsCancellationRequested)
            return;
        _closing.Cancel();
        _line.CompleteAdding();
        _worker.Join();
        _chat.Dispose();
    }

    private static Model Required(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model;
    }

    private async IAsyncEnumerable<ChatResponseUpdate> Stream(
        ChatTurn[] messages, GenerationOptions options, [EnumeratorCancellation] CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(_closing.IsCancellationRequested, this);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _closing.Token);
        // Unbounded, so that the worker never waits for a reader; the context bounds what one answer can hold.
        var updates = Channel.CreateUnbounded<ChatResponseUpdate>(new() { SingleReader = true, SingleWriter = true });
        Enqueue(new Request(messages, options, updates.Writer, _metadata.DefaultModelId, ending.Token));
        try
        {
            await foreach (var update in updates.Reader.ReadAllAsync(cancellation).ConfigureAwait(false))
                yield return update;
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
        }
    }

    private void Enqueue(Request request)
    {
        try
        {
            _line.Add(request, CancellationToken.None);
        }
        catch (InvalidOperationException)
        {
            throw new ObjectDisposedException(nameof(HearthChatClient));
        }
    }

    private void Serve()
    {
        foreach (var request in _line.GetConsumingEnumerable())
        {
            try
            {
                Answer(request);
            }
            catch (Exception failure)
            {
                // Whatever it is, it is the caller's to know, and the next in the line must be served.
                request.Updates.TryComplete(failure);
            }
        }
    }

    private void Answer(Request request)
    {
        if (!request.Cancellation.IsCancellationRequested)
        {
            var reply = _chat.Answer(request.Messages, request.Options, 0, request.Write, request.Cancellation);
            if (reply.Result.FinishReason != FinishReason.Cancelled)
            {
                request.Finish(reply);
                return;
            }
        }
        request.Updates.TryComplete(_closing.IsCancellationRequested
            ? new ObjectDisposedException(nameof(HearthChatClient))
            : new OperationCanceledException(request.Cancellation));
    }

    private sealed class Request(
        ChatTurn[] messages, GenerationOptions options, ChannelWriter<ChatResponseUpdate> updates, string? modelId, CancellationToken cancellation)
    {
        private readonly string _id = Guid.NewGuid().ToString("N");

        public ChatTurn[] Messages => messages;

        public GenerationOptions Options => options;

        public ChannelWriter<ChatResponseUpdate> Updates => updates;

        public CancellationToken Cancellation => cancellation;

        public void Write(string text) => updates.TryWrite(Update([new TextContent(text)]));

        public void Finish(ChatReply reply)
        {
            var result = reply.Result;
            var last = Update([new UsageContent(new UsageDetails
            {
                InputTokenCount = result.PromptTokens,
                CachedInputTokenCount = result.CachedTokens,
                OutputTokenCount = result.Tokens.Count,
                TotalTokenCount = result.PromptTokens + result.Tokens.Count,
            })]);
            last.FinishReason = result.FinishReason == FinishReason.Length ? ChatFinishReason.Length : ChatFinishReason.Stop;
            last.AdditionalProperties = new() { ["seed"] = result.Seed, ["dropped_turns"] = reply.DroppedTurns };
            updates.TryWrite(last);
            updates.TryComplete();
        }

        private ChatResponseUpdate Update(IList<AIContent> contents) => new(ChatRole.Assistant, contents)
        {
            ResponseId = _id,
            MessageId = _id,
            ModelId = modelId,
            CreatedAt = DateTimeOffset.UtcNow,
        };
    }
}
