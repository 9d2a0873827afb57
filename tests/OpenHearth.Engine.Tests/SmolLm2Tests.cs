using System.Text.Json;

namespace OpenHearth.Engine.Tests;

/// <summary>The built-in model against its reference: transformers on the dequantized weights.</summary>
public sealed class SmolLm2Tests
{
    public static string ModelPath { get; } = Path.Combine(Fixtures.Checkout, "models", "SmolLM2-135M-Instruct.Q4_1.gguf");

    [Fact]
    public void Exact_OnAllPrompts_GivesTopLogitsAndGreedyText()
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(Fixtures.Path("fixtures", "smollm2", "expected.json")));
        using var model = Model.Load(ModelPath, new ModelOptions { Exact = true });
        foreach (var prompt in json.RootElement.EnumerateArray())
        {
            // The expected continuation is read in one piece with the prompt: its logits are those of greedy decoding.
            var ids = Ints(prompt.GetProperty("ids"));
            int[] continuation = prompt.TryGetProperty("greedy_ids", out var greedy) ? Ints(greedy) : [];
            using var session = model.CreateSession();
            var logits = new float[(ids.Length + continuation.Length) * model.Info.VocabularySize];
            session.Step([.. ids, .. continuation], logits);
            for (var t = 0; t < ids.Length; t++)
                CheckTop(prompt, t, logits.AsSpan(t * model.Info.VocabularySize, model.Info.VocabularySize));
            for (var i = 0; i < continuation.Length; i++)
            {
                if (prompt.GetProperty("greedy_margins")[i].GetDouble() > 0.02)
                    Assert.Equal(continuation[i], LogitComparison.Best(logits.AsSpan((ids.Length - 1 + i) * model.Info.VocabularySize, model.Info.VocabularySize)));
            }
        }
    }

    [Fact]
    public void Exact_TokenByToken_GivesGreedyText()
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(Fixtures.Path("fixtures", "smollm2", "expected.json")));
        var prompt = json.RootElement[0];
        using var model = Model.Load(ModelPath, new ModelOptions { Exact = true });
        using var session = model.CreateSession();
        var logits = session.Step(Ints(prompt.GetProperty("ids")));
        foreach (var expected in Ints(prompt.GetProperty("greedy_ids")))
        {
            Assert.Equal(expected, LogitComparison.Best(logits));
            logits = session.Step([expected]);
        }
    }

    [Fact]
    public void Info_OfTheFile_IsWhatItSays()
    {
        using var model = Model.Load(ModelPath);
        Assert.Equal(("llama", 30, 49152, 8192), (model.Info.Architecture, model.Info.Layers, model.Info.VocabularySize, model.Info.ContextLength));
        Assert.Equal("apache-2.0", model.Info.License);
        Assert.Equal(134_515_008, model.Info.Parameters);
        Assert.Equal("Q4_1", model.Info.TensorTypes[0].Type);
        Assert.Equal(49152, model.Tokenizer.VocabularySize);
        Assert.Contains("<|im_start|>", model.ChatTemplate.Source, StringComparison.Ordinal);
    }

    private static void CheckTop(JsonElement prompt, int token, ReadOnlySpan<float> logits)
    {
        var ids = Ints(prompt.GetProperty("top_ids")[token]);
        for (var i = 0; i < ids.Length; i++)
            Assert.InRange(logits[ids[i]], prompt.GetProperty("top_logits")[token][i].GetSingle() - 0.02f, prompt.GetProperty("top_logits")[token][i].GetSingle() + 0.02f);
    }

    private static int[] Ints(JsonElement array) => [.. array.EnumerateArray().Select(element => element.GetInt32())];
}
