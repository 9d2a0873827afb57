using System.Text.Json;
using OpenHearth.Engine.Generation;
using OpenHearth.Engine.Sampling;

namespace OpenHearth.Engine.Tests.Generation;

/// <summary>From prompt to text with the built-in model.</summary>
public sealed class BuiltInModelTests
{
    private static readonly string ModelPath = Path.Combine(Fixtures.Checkout, "models", "SmolLM2-135M-Instruct.Q4_1.gguf");

    [Fact]
    public void Generate_OfTheReferencesPrompts_GivesTheReferencesText()
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(Fixtures.Path("fixtures", "smollm2", "expected.json")));
        using var model = Model.Load(ModelPath, new ModelOptions { Exact = true });
        using var generator = model.CreateGenerator();
        var compared = 0;
        foreach (var prompt in json.RootElement.EnumerateArray().Where(prompt => prompt.TryGetProperty("greedy_ids", out _)))
        {
            var expected = prompt.GetProperty("greedy_ids").EnumerateArray().Select(id => id.GetInt32())
                .Zip(prompt.GetProperty("greedy_margins").EnumerateArray().Select(margin => margin.GetDouble()))
                .TakeWhile(step => step.Second > 0.02).Select(step => step.First).ToArray();
            var end = model.Tokenizer.EndOfGeneration.Contains(expected[^1]);
            var options = new GenerationOptions { Sampling = SamplingOptions.Greedy, MaxTokens = expected.Length };
            var result = generator.Generate(prompt.GetProperty("text").GetString()!, options, null, TestContext.Current.CancellationToken);
            Assert.Equal(end ? expected[..^1] : expected, result.Tokens);
            Assert.Equal(end ? FinishReason.Stop : FinishReason.Length, result.FinishReason);
            if (expected.Length == prompt.GetProperty("greedy_ids").GetArrayLength())
                Assert.Equal(prompt.GetProperty("greedy_text").GetString()!.Replace("<|im_end|>", "", StringComparison.Ordinal), result.Text);
            compared += expected.Length;
        }
        Assert.True(compared > 50);
    }

    [Fact]
    public void Reply_WithAnyNumberOfThreads_IsTheSame()
    {
        var answers = new HashSet<string>();
        foreach (var threads in (int[])[1, 2, 3])
        {
            using var model = Model.Load(ModelPath, new ModelOptions { Threads = threads });
            using var chat = model.CreateChat();
            Assert.False(model.ChatTemplateIsGuess);
            var options = new GenerationOptions { MaxTokens = 24 };
            var greedy = chat.Reply("Why is the sky blue?", options with { Sampling = SamplingOptions.Greedy }, null, TestContext.Current.CancellationToken);
            var drawn = chat.Reply("And at night?", options with { Sampling = new() { Seed = 7, Temperature = 1 } }, null, TestContext.Current.CancellationToken);
            Assert.True(drawn.Result.CachedTokens >= greedy.Result.PromptTokens);
            answers.Add($"{greedy.Result.Text} | {drawn.Result.Text}");
        }
        Assert.True(Assert.Single(answers).Length > 40);
    }
}
