using OpenHearth.Engine.Generation;
using OpenHearth.Engine.Sampling;
using OpenHearth.Engine.Templates;

namespace OpenHearth.Engine.Tests.Generation;

public sealed class ChatTests
{
    private static readonly GenerationOptions Greedy = new() { Sampling = SamplingOptions.Greedy };

    [Fact]
    public void Reply_TurnByTurn_ReadsOnlyWhatIsNew()
    {
        var sequence = ScriptedSequence.Answering(prompt => $"answer {prompt.Split("user\n").Length - 1}");
        var chat = Open(sequence);
        chat.System = "Be brief.";
        var first = chat.Reply("first question", Greedy, null, TestContext.Current.CancellationToken);
        Assert.Equal("answer 1", first.Result.Text);
        var second = chat.Reply("second question", Greedy, null, TestContext.Current.CancellationToken);
        Assert.Equal("answer 2", second.Result.Text);
        // All of the first prompt and its answer were still there.
        Assert.Equal(first.Result.PromptTokens + first.Result.Tokens.Count, second.Result.CachedTokens);
        Assert.Equal(["system", "user", "assistant", "user", "assistant"], chat.Messages.Select(message => message.Role));
        Assert.StartsWith("<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nfirst question<|im_end|>\n<|im_start|>assistant\nanswer 1<|im_end|>\n",
            ScriptedSequence.Tokenizer.Decode([.. sequence.Ids]), StringComparison.Ordinal);
    }

    [Fact]
    public void Reply_OnceTheContextIsFull_DropsTheOldestTurnsWholeAndKeepsTheSystemMessage()
    {
        var prompts = new List<string>();
        var sequence = ScriptedSequence.Answering(prompt =>
        {
            prompts.Add(prompt);
            return "yes yes yes yes yes yes yes yes";
        }, contextLength: 256);
        var chat = Open(sequence);
        chat.System = "Remember me.";
        var dropped = new List<int>();
        for (var i = 0; i < 30; i++)
            dropped.Add(chat.Reply($"question number {i}", Greedy with { MaxTokens = 40 }, null, TestContext.Current.CancellationToken).DroppedTurns);
        Assert.Equal(0, dropped[0]);
        Assert.True(dropped[^1] > 10);
        Assert.Equal(dropped.Order(), dropped);
        // The beginning moves rarely, so that the session's cache stays useful.
        Assert.InRange(dropped.Distinct().Count(), 3, 10);
        for (var i = 0; i < 30; i++)
        {
            Assert.StartsWith("<|im_start|>system\nRemember me.<|im_end|>\n<|im_start|>user\nquestion number", prompts[i], StringComparison.Ordinal);
            Assert.Contains($"question number {i}<", prompts[i], StringComparison.Ordinal);
            Assert.Equal(dropped[i], i + 1 - prompts[i].Split("<|im_start|>user").Skip(1).Count());
        }
        Assert.Equal(61, chat.Messages.Count);
        chat.Clear();
        Assert.Equal(["system"], chat.Messages.Select(message => message.Role));
        Assert.Equal(0, chat.Reply("again", Greedy, null, TestContext.Current.CancellationToken).DroppedTurns);
    }

    [Fact]
    public void Reply_ToAMessageLongerThanTheContext_ThrowsAndForgetsIt()
    {
        var chat = Open(ScriptedSequence.Saying("ok", contextLength: 64));
        chat.Reply("hello", Greedy, null, TestContext.Current.CancellationToken);
        var long_ = string.Join(' ', Enumerable.Repeat("word", 100));
        Assert.Throws<ContextOverflowException>(() => chat.Reply(long_, Greedy, null, TestContext.Current.CancellationToken));
        Assert.Equal(2, chat.Messages.Count);
        Assert.Equal("ok", chat.Reply("hello", Greedy, null, TestContext.Current.CancellationToken).Result.Text);
    }

    [Fact]
    public void Reply_WhereTheTemplateRefuses_ThrowsAndForgetsTheMessage()
    {
        var template = ChatTemplate.Parse("{% if messages[-1].content == 'no' %}{{ raise_exception('not that') }}{% endif %}x");
        var chat = new Chat(template, ScriptedSequence.Tokenizer, ScriptedSequence.Saying("ok"));
        Assert.Contains("not that", Assert.Throws<TemplateException>(() => chat.Reply("no", Greedy, null, TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
        Assert.Empty(chat.Messages);
        Assert.Equal("ok", chat.Reply("yes", Greedy, null, TestContext.Current.CancellationToken).Result.Text);
    }

    [Fact]
    public void Reply_Cancelled_KeepsWhatWasSaid()
    {
        using var cancel = new CancellationTokenSource();
        var chat = Open(ScriptedSequence.Saying("one two three four"));
        var reply = chat.Reply("count", Greedy, text =>
        {
            if (text == " two")
                cancel.Cancel();
        }, cancel.Token);
        Assert.Equal(FinishReason.Cancelled, reply.Result.FinishReason);
        Assert.Equal("one two", chat.Messages[^1].Content);
    }

    [Fact]
    public void System_SetAndTakenAway_IsAlwaysTheFirst()
    {
        var chat = Open(ScriptedSequence.Saying("ok"));
        Assert.Null(chat.System);
        chat.Add(new("user", "hi"));
        chat.System = "one";
        chat.System = "two";
        Assert.Equal(["two", "hi"], chat.Messages.Select(message => message.Content));
        chat.System = null;
        Assert.Equal(["hi"], chat.Messages.Select(message => message.Content));
    }

    private static Chat Open(ScriptedSequence sequence) => new(ChatTemplate.ChatMl, ScriptedSequence.Tokenizer, sequence);
}
