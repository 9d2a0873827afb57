using Microsoft.Extensions.AI;
using OpenHearth.Engine.Generation;
using OpenHearth.Engine.Sampling;
using OpenHearth.Engine.Templates;

namespace OpenHearth.Engine.Tests.Generation;

public sealed class HearthChatClientTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task GetResponseAsync_OfAQuestion_GivesTextUsageAndReason()
    {
        using var client = Open(ScriptedSequence.Saying("Because of Rayleigh scattering."));
        var response = await client.GetResponseAsync("Why is the sky blue?", new() { Seed = 5 }, Cancellation);
        Assert.Equal("Because of Rayleigh scattering.", response.Text);
        Assert.Equal((ChatFinishReason.Stop, "scripted"), (response.FinishReason, response.ModelId));
        var message = Assert.Single(response.Messages);
        Assert.Equal(ChatRole.Assistant, message.Role);
        var usage = Assert.IsType<UsageDetails>(response.Usage);
        Assert.Equal(ScriptedSequence.Tokenizer.Encode("Because of Rayleigh scattering.", addSpecial: false).Length, usage.OutputTokenCount);
        Assert.Equal(usage.InputTokenCount + usage.OutputTokenCount, usage.TotalTokenCount);
        Assert.Equal(5L, message.AdditionalProperties!["seed"]);
        Assert.Equal(0, message.AdditionalProperties["dropped_turns"]);
        response = await client.GetResponseAsync("Why is the sky blue?", new() { MaxOutputTokens = 2 }, Cancellation);
        Assert.Equal(("Because of", ChatFinishReason.Length), (response.Text, response.FinishReason));
        Assert.Equal(response.Usage!.InputTokenCount - 1, response.Usage.CachedInputTokenCount);
    }

    [Fact]
    public async Task GetStreamingResponseAsync_OfAQuestion_StreamsUpdatesOfOneMessage()
    {
        using var client = Open(ScriptedSequence.Saying("one two three END four"));
        var updates = await client.GetStreamingResponseAsync("Count", new() { StopSequences = ["END"] }, Cancellation).ToListAsync(Cancellation);
        Assert.Equal("one two three ", string.Concat(updates.Select(update => update.Text)));
        Assert.True(updates.Count >= 4);
        Assert.Single(updates.Select(update => (update.ResponseId, update.MessageId, update.ModelId, update.Role)).Distinct());
        Assert.Equal(ChatFinishReason.Stop, Assert.Single(updates, update => update.FinishReason is not null).FinishReason);
        Assert.IsType<UsageContent>(Assert.Single(updates[^1].Contents));
    }

    [Fact]
    public async Task GetResponseAsync_OfManyCallersAtOnce_AnswersEachItsOwnQuestion()
    {
        using var client = Open(ScriptedSequence.Answering(prompt => "re: " + prompt.Split("user\n")[^1].Split("<|")[0]));
        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => Task.Run(() => client.GetResponseAsync($"question {i}", null, Cancellation), Cancellation)))
            .WaitAsync(Patience, Cancellation);
        Assert.Equal(Enumerable.Range(0, 40).Select(i => $"re: question {i}"), answers.Select(answer => answer.Text));
    }

    [Fact]
    public async Task GetStreamingResponseAsync_OfManyRequests_ServesFirstComeFirst()
    {
        using var gate = new SemaphoreSlim(0);
        var served = new List<string>();
        var sequence = ScriptedSequence.Answering(prompt =>
        {
            served.Add(prompt.Split("user\n")[^1].Split("<|")[0]);
            return "ok";
        });
        sequence.OnStep = () => gate.Wait(Patience);
        using var client = Open(sequence);
        var enumerators = Enumerable.Range(0, 6).Select(i => client.GetStreamingResponseAsync($"{i}", null, Cancellation).GetAsyncEnumerator(Cancellation)).ToArray();
        // A request is in the line once its first move has begun; here they begin in another order than they were made.
        int[] order = [3, 0, 5, 1, 4, 2];
        var moves = order.Select(i => enumerators[i].MoveNextAsync().AsTask()).ToArray();
        gate.Release(1000);
        await Task.WhenAll(moves).WaitAsync(Patience, Cancellation);
        foreach (var enumerator in enumerators)
            await enumerator.DisposeAsync();
        Assert.Equal(order.Select(i => $"{i}"), served);
    }

    [Fact]
    public async Task GetStreamingResponseAsync_AbandonedWithoutDisposal_HoldsUpNobody()
    {
        var first = true;
        using var client = Open(ScriptedSequence.Answering(_ => first ? "so many words that nobody reads" : "next"));
        var abandoned = client.GetStreamingResponseAsync("one", null, Cancellation).GetAsyncEnumerator(Cancellation);
        Assert.True(await abandoned.MoveNextAsync());
        first = false;
        Assert.Equal("next", (await client.GetResponseAsync("two", null, Cancellation).WaitAsync(Patience, Cancellation)).Text);
    }

    [Fact]
    public async Task GetStreamingResponseAsync_LeftEarly_EndsTheEndlessAnswer()
    {
        // Token 28 for ever, in a context that would take long to fill.
        var sequence = new ScriptedSequence(_ => 28, contextLength: 1 << 30);
        using var client = Open(sequence);
        await foreach (var update in client.GetStreamingResponseAsync("go", null, Cancellation))
        {
            Assert.NotEqual("", update.Text);
            break;
        }
        await foreach (var update in client.GetStreamingResponseAsync("go on", null, Cancellation).WithCancellation(Cancellation))
        {
            Assert.NotEqual("", update.Text);
            break;
        }
    }

    [Fact]
    public async Task GetResponseAsync_Cancelled_ThrowsWhetherItRunsOrWaits()
    {
        using var client = Open(new ScriptedSequence(_ => 28, contextLength: 1 << 30));
        using var running = new CancellationTokenSource();
        using var waiting = new CancellationTokenSource();
        var first = client.GetResponseAsync("one", null, running.Token);
        var second = client.GetResponseAsync("two", null, waiting.Token);
        waiting.Cancel();
        // It need not wait for the first to end.
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second.WaitAsync(Patience, Cancellation));
        Assert.False(first.IsCompleted);
        running.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first.WaitAsync(Patience, Cancellation));
        var before = new CancellationToken(canceled: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.GetResponseAsync("three", null, before).WaitAsync(Patience, Cancellation));
    }

    [Fact]
    public async Task GetResponseAsync_ThatFails_TellsItsCallerAndServesTheNext()
    {
        using var client = Open(ScriptedSequence.Saying("fine", contextLength: 64));
        var tooLong = string.Join(' ', Enumerable.Repeat("word", 100));
        await Assert.ThrowsAsync<ContextOverflowException>(() => client.GetResponseAsync(tooLong, null, Cancellation));
        Assert.Equal("fine", (await client.GetResponseAsync("short", null, Cancellation)).Text);
        Assert.Equal("TopP", Assert.Throws<ArgumentOutOfRangeException>(() => { client.GetStreamingResponseAsync("x", new() { TopP = 7 }, Cancellation); }).ParamName);
    }

    [Fact]
    public async Task GetResponseAsync_OfAConversationThatOutgrowsTheContext_DropsTurnsAndSaysSo()
    {
        using var client = Open(ScriptedSequence.Answering(prompt => $"{prompt.Split("user\n").Length - 1} left", contextLength: 128));
        List<ChatMessage> messages = [new(ChatRole.System, "Stay.")];
        for (var i = 0; i < 20; i++)
            messages.AddRange([new(ChatRole.User, $"question {i}"), new(ChatRole.Assistant, $"answer {i}")]);
        messages.Add(new(ChatRole.User, "last"));
        var response = await client.GetResponseAsync(messages, null, Cancellation);
        var dropped = Assert.IsType<int>(Assert.Single(response.Messages).AdditionalProperties!["dropped_turns"]);
        Assert.InRange(dropped, 10, 20);
        Assert.Equal($"{21 - dropped} left", response.Text);
    }

    [Fact]
    public async Task Dispose_WhileAnswering_EndsAllWithAClearError()
    {
        var sequence = new ScriptedSequence(_ => 28, contextLength: 1 << 30);
        var client = Open(sequence);
        var tasks = Enumerable.Range(0, 3).Select(i => client.GetResponseAsync($"{i}", null, Cancellation)).ToArray();
        await Task.Run(client.Dispose, Cancellation).WaitAsync(Patience, Cancellation);
        foreach (var task in tasks)
            await Assert.ThrowsAsync<ObjectDisposedException>(() => task.WaitAsync(Patience, Cancellation));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.GetResponseAsync("late", null, Cancellation));
        client.Dispose();
        Assert.True(sequence.IsDisposed);
    }

    [Fact]
    public void GetService_OfWhatThereIs_GivesIt()
    {
        using var client = Open(ScriptedSequence.Saying(""));
        var metadata = client.GetService<ChatClientMetadata>();
        Assert.Equal(("openhearth", "scripted"), (metadata?.ProviderName, metadata?.DefaultModelId));
        Assert.Same(client, client.GetService<IChatClient>());
        Assert.Same(ScriptedSequence.Tokenizer, client.GetService<OpenHearth.Engine.Tokenization.Tokenizer>());
        Assert.Null(client.GetService<string>());
        Assert.Null(client.GetService(typeof(ChatClientMetadata), "key"));
    }

    private static HearthChatClient Open(ScriptedSequence sequence) =>
        new(new Chat(ChatTemplate.ChatMl, ScriptedSequence.Tokenizer, sequence), "scripted", ScriptedSequence.Tokenizer)
        {
            Defaults = new GenerationOptions { Sampling = SamplingOptions.Greedy },
        };
}
