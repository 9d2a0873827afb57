using OpenHearth.Engine.Generation;
using OpenHearth.Engine.Sampling;
using OpenHearth.Engine.Tokenization;

namespace OpenHearth.Engine.Tests.Generation;

public sealed class GeneratorTests
{
    private static readonly Tokenizer Tokenizer = ScriptedSequence.Tokenizer;
    private static readonly GenerationOptions Greedy = new() { Sampling = SamplingOptions.Greedy };

    [Theory]
    [InlineData("The sky is blue because of Rayleigh scattering.")]
    [InlineData("Grüße, 世界! 👩‍👩‍👧 ∀x∈ℝ")]
    [InlineData("")]
    public void Generate_UpToTheModelsEnd_GivesTheWholeTextInWholeCharacters(string text)
    {
        var pieces = new List<string>();
        var result = new Generator(Tokenizer, ScriptedSequence.Saying(text)).Generate("Why?", Greedy, pieces.Add, TestContext.Current.CancellationToken);
        Assert.Equal((text, FinishReason.Stop), (result.Text, result.FinishReason));
        Assert.Equal(text, string.Concat(pieces));
        Assert.DoesNotContain(pieces, piece => piece.Length == 0 || piece.Contains('\uFFFD', StringComparison.Ordinal) || char.IsLowSurrogate(piece[0]) || char.IsHighSurrogate(piece[^1]));
        Assert.Equal(Tokenizer.Encode(text, addSpecial: false), result.Tokens);
        Assert.Equal(Tokenizer.Encode("Why?").Length, result.PromptTokens);
        Assert.Equal(result.Tokens.Count, result.Timings.DecodeSteps);
    }

    [Theory]
    [InlineData("blue", "The sky is ")]
    [InlineData("y is blu", "The sk")]
    [InlineData(".", "The sky is blue")]
    [InlineData("The", "")]
    [InlineData("blue!", "The sky is blue.")]
    public void Generate_WithAStopText_EndsThereWhereverTokensEnd(string stop, string expected)
    {
        var pieces = new List<string>();
        var generator = new Generator(Tokenizer, ScriptedSequence.Saying("The sky is blue."));
        var result = generator.Generate("Why?", Greedy with { Stop = [stop, "never"] }, pieces.Add, TestContext.Current.CancellationToken);
        Assert.Equal((expected, FinishReason.Stop), (result.Text, result.FinishReason));
        Assert.Equal(expected, string.Concat(pieces));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public void Generate_WithALimit_EndsThere(int limit)
    {
        var sequence = ScriptedSequence.Saying("one two three four five six");
        var result = new Generator(Tokenizer, sequence).Generate("Count:", Greedy with { MaxTokens = limit, Stop = ["three four"] }, null, TestContext.Current.CancellationToken);
        Assert.Equal((limit, FinishReason.Length), (result.Tokens.Count, result.FinishReason));
        Assert.Equal(Tokenizer.Decode([.. result.Tokens]), result.Text);
        // The last token is not worth a step.
        Assert.Equal(1 + Math.Max(0, limit - 1), sequence.Steps.Count);
    }

    [Fact]
    public void Generate_WhereTheCharacterIsNotFinished_EndsWithAReplacementCharacter()
    {
        var emoji = Tokenizer.Encode("🦔", addSpecial: false);
        Assert.True(emoji.Length > 1);
        var result = new Generator(Tokenizer, ScriptedSequence.Saying("🦔")).Generate("A", Greedy with { MaxTokens = emoji.Length - 1 }, null, TestContext.Current.CancellationToken);
        Assert.Equal("\uFFFD", result.Text);
    }

    [Fact]
    public void Generate_UntilTheContextIsFull_EndsWithLength()
    {
        var sequence = new ScriptedSequence(_ => 28, contextLength: 16);
        var result = new Generator(Tokenizer, sequence).Generate([5, 6, 7], Greedy, null, TestContext.Current.CancellationToken);
        Assert.Equal(FinishReason.Length, result.FinishReason);
        // 3 + 13 fill the context, and one more comes of the last logits.
        Assert.Equal((14, 16), (result.Tokens.Count, sequence.Length));
    }

    [Fact]
    public void Generate_WithContextShift_ForgetsTheOldestHalfAndGoesOn()
    {
        var all = new List<int> { 101, 102, 103, 104, 105, 106 };
        var next = 200;
        var sequence = new ScriptedSequence(_ => next++, contextLength: 20);
        var generator = new Generator(Tokenizer, sequence);
        var options = Greedy with { ContextShift = true, KeptTokens = 2, MaxTokens = 40 };
        var result = generator.Generate([.. all], options, null, TestContext.Current.CancellationToken);
        all.AddRange(result.Tokens);
        Assert.Equal((40, FinishReason.Length), (result.Tokens.Count, result.FinishReason));
        // 20 are full after 14 of the answer; 11 stay, so that every 9 more there is a shift.
        Assert.Equal(27, result.ForgottenTokens);
        Assert.Equal([101, 102, .. all[^17..^1]], sequence.Ids);
        Assert.Equal(39, result.Timings.DecodeSteps);
        Assert.Equal([6, .. Enumerable.Repeat(1, 14), 9, .. Enumerable.Repeat(1, 9), 9, .. Enumerable.Repeat(1, 9), 9, .. Enumerable.Repeat(1, 7)], sequence.Steps);
    }

    [Fact]
    public void Generate_OfAPromptThatIsTooLong_IsRefusedWithTheNumbers_UnlessShifted()
    {
        var prompt = Enumerable.Range(300, 25).ToArray();
        var sequence = new ScriptedSequence(_ => 7, contextLength: 20);
        var generator = new Generator(Tokenizer, sequence);
        var refused = Assert.Throws<ContextOverflowException>(() => generator.Generate(prompt, Greedy, null, TestContext.Current.CancellationToken));
        Assert.StartsWith("The prompt has 25 tokens and the context holds 20", refused.Message, StringComparison.Ordinal);
        var result = generator.Generate(prompt, Greedy with { ContextShift = true, MaxTokens = 1 }, null, TestContext.Current.CancellationToken);
        Assert.Equal((25, 13), (result.PromptTokens, result.ForgottenTokens));
        Assert.Equal([300, 301, 302, 303, .. prompt[^8..]], sequence.Ids);
        refused = Assert.Throws<ContextOverflowException>(() => generator.Generate(prompt, Greedy with { ContextShift = true, KeptTokens = 17 }, null, TestContext.Current.CancellationToken));
        Assert.Contains("20 tokens can't be shifted while 17 are kept", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Generate_CancelledWhileTheContextShifts_GivesWhatThereIs()
    {
        using var cancel = new CancellationTokenSource();
        var sequence = new ScriptedSequence(ids => 200 + ids.Count, contextLength: 20);
        sequence.OnStep = () =>
        {
            if (sequence.Ids.Count == 4)
                cancel.Cancel();
        };
        var result = new Generator(Tokenizer, sequence).Generate([1, 2, 3, 4, 5], Greedy with { ContextShift = true }, null, cancel.Token);
        Assert.Equal(FinishReason.Cancelled, result.FinishReason);
        Assert.Equal(16, result.Tokens.Count);
    }

    [Fact]
    public void Generate_WithSpecialTokensInTheAnswer_LeavesThemOut()
    {
        var result = new Generator(Tokenizer, ScriptedSequence.Saying("a<|im_start|>b")).Generate("x", Greedy, null, TestContext.Current.CancellationToken);
        Assert.Equal("ab", result.Text);
        Assert.Equal(3, result.Tokens.Count);
    }

    [Fact]
    public void Generate_CancelledBetweenTokens_GivesWhatThereIs()
    {
        using var cancel = new CancellationTokenSource();
        var sequence = ScriptedSequence.Saying("one two three four five six");
        var seen = 0;
        var result = new Generator(Tokenizer, sequence).Generate("Count:", Greedy, _ =>
        {
            if (++seen == 3)
                cancel.Cancel();
        }, cancel.Token);
        Assert.Equal(("one two three", FinishReason.Cancelled), (result.Text, result.FinishReason));
    }

    [Fact]
    public void Generate_CancelledInTheMiddleOfThePrompt_StopsAtTheNextChunkAndCanGoOn()
    {
        using var cancel = new CancellationTokenSource();
        var sequence = ScriptedSequence.Saying("done");
        sequence.OnStep = () =>
        {
            if (sequence.Steps.Count == 1)
                cancel.Cancel();
        };
        var prompt = Enumerable.Repeat(30, 2000).ToArray();
        var generator = new Generator(Tokenizer, sequence);
        var result = generator.Generate(prompt, Greedy, null, cancel.Token);
        Assert.Equal(("", FinishReason.Cancelled), (result.Text, result.FinishReason));
        Assert.Equal([512, 512], sequence.Steps);
        result = generator.Generate(prompt, Greedy, null, TestContext.Current.CancellationToken);
        Assert.Equal(("done", 1024), (result.Text, result.CachedTokens));
    }

    [Fact]
    public void Generate_OfAPromptThatBeginsAsTheLast_ReadsTheRestOnly()
    {
        var sequence = ScriptedSequence.Saying(" and so on");
        var generator = new Generator(Tokenizer, sequence);
        var first = generator.Generate([10, 11, 12, 13], Greedy, null, TestContext.Current.CancellationToken);
        Assert.Equal((4, 0), (first.PromptTokens, first.CachedTokens));
        sequence.Steps.Clear();
        var next = generator.Generate([10, 11, 12, 13, .. first.Tokens, 14, 15], Greedy, null, TestContext.Current.CancellationToken);
        Assert.Equal(4 + first.Tokens.Count, next.CachedTokens);
        Assert.Equal(2, sequence.Steps[0]);
        Assert.Equal(2, next.Timings.PromptSteps);
        var parted = generator.Generate([10, 11, 99], Greedy, null, TestContext.Current.CancellationToken);
        Assert.Equal(2, parted.CachedTokens);
        // The same prompt again: its last token gives the logits.
        Assert.Equal(2, generator.Generate([10, 11, 99], Greedy, null, TestContext.Current.CancellationToken).CachedTokens);
        Assert.Equal(" and so on", generator.Generate([10], Greedy, null, TestContext.Current.CancellationToken).Text);
    }

    [Fact]
    public void Generate_AfterAStepFailed_StartsFromWhatIsSure()
    {
        var sequence = ScriptedSequence.Saying("fine");
        var generator = new Generator(Tokenizer, sequence);
        sequence.OnStep = () => throw new InvalidOperationException("broken");
        Assert.Throws<InvalidOperationException>(() => generator.Generate([1, 2, 3], Greedy, null, TestContext.Current.CancellationToken));
        sequence.OnStep = null;
        Assert.Equal("fine", generator.Generate([1, 2, 3], Greedy, null, TestContext.Current.CancellationToken).Text);
        Assert.Equal([1, 2, 3], sequence.Ids.Take(3));
    }

    [Fact]
    public void Generate_WithPenaltiesAndDry_CountsThePrompt()
    {
        // The script wants "the" for ever; a strong penalty on recent tokens chooses something else.
        var the = Tokenizer.Encode(" the", addSpecial: false)[0];
        var generator = new Generator(Tokenizer, new ScriptedSequence(_ => the));
        const int Second = 500;
        var second = SamplingOptions.Greedy with { LogitBias = new Dictionary<int, float> { [Second] = 50 } };
        var options = Greedy with { MaxTokens = 1, Sampling = second with { PresencePenalty = 200 } };
        Assert.Equal([Second], generator.Generate([the], options, null, TestContext.Current.CancellationToken).Tokens);
        options = Greedy with { MaxTokens = 4, Sampling = second with { DryMultiplier = 200 } };
        Assert.Equal([the, the, Second, the], generator.Generate([the], options, null, TestContext.Current.CancellationToken).Tokens);
    }

    [Fact]
    public void Generate_OfWhatItCannotDo_SaysSo()
    {
        var generator = new Generator(Tokenizer, ScriptedSequence.Saying("x", contextLength: 8));
        Assert.Contains("empty", Assert.Throws<ArgumentException>(() => generator.Generate("", Greedy, null, TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
        var overflow = Assert.Throws<ContextOverflowException>(() => generator.Generate(new int[8], Greedy, null, TestContext.Current.CancellationToken));
        Assert.Contains("8 tokens and the context holds 8", overflow.Message, StringComparison.Ordinal);
        Assert.Equal("MaxTokens", Assert.Throws<ArgumentOutOfRangeException>(() => generator.Generate([1], Greedy with { MaxTokens = -1 }, null, TestContext.Current.CancellationToken)).ParamName);
        Assert.Equal("Stop", Assert.Throws<ArgumentOutOfRangeException>(() => generator.Generate([1], Greedy with { Stop = [""] }, null, TestContext.Current.CancellationToken)).ParamName);
    }
}
