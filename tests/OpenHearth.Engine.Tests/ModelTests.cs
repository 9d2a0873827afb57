using OpenHearth.Engine.Files;

namespace OpenHearth.Engine.Tests;

public sealed class ModelTests
{
    [Fact]
    public void Load_OfAnUnknownArchitecture_NamesItAndTheNearest()
    {
        using var file = new TinyLlama("lama");
        var failure = Assert.Throws<ModelFormatException>(() => Model.Load(file.Path));
        Assert.Contains("'lama'", failure.Message, StringComparison.Ordinal);
        Assert.Contains("nearest known are llama,", failure.Message, StringComparison.Ordinal);
        Assert.Contains("docs/adding-an-architecture.md", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(1 << 30)]
    [InlineData(0)]
    public void Load_WithHeadsThatCantBe_NamesTheField(int keyHeads)
    {
        using var file = new TinyLlama(keyHeads: keyHeads);
        var failure = Assert.Throws<ModelFormatException>(() => Model.Load(file.Path));
        Assert.Contains(file.Path, failure.Message, StringComparison.Ordinal);
        Assert.Matches("head|attn_k", failure.Message);
    }

    [Fact]
    public void Tokenizer_OfAModelWithoutOne_SaysSo()
    {
        using var file = new TinyLlama();
        using var model = Model.Load(file.Path);
        Assert.True(model.ChatTemplateIsGuess);
        Assert.Contains("without a tokenizer", Assert.Throws<ModelFormatException>(() => model.Tokenizer).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_OfNoFile_SaysSo() =>
        Assert.Throws<FileNotFoundException>(() => Model.Load(Path.Combine(Path.GetTempPath(), "no-such-model.gguf")));

    [Fact]
    public void TinyStories_Greedy_TellsTheStory()
    {
        // The text of llama2.c's documentation for this model, as ids of its GGUF vocabulary would spell it.
        var path = Fixtures.Path("models", "tiny_stories260k", "stories260K.gguf");
        using var model = Model.Load(path, new ModelOptions { Exact = true });
        using var session = model.CreateSession();
        var logits = session.Step([1]);
        var ids = new List<int>();
        for (var i = 0; i < 200; i++)
        {
            ids.Add(LogitComparison.Best(logits));
            logits = session.Step([ids[^1]]);
        }
        Assert.StartsWith(
            "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big, red ball. " +
            "She wanted to play with it, but it was too high.\nLily's mom said, \"Lily, let's go to the park.\" Lily was sad and didn't know what to do.",
            model.Tokenizer.Decode([.. ids]).TrimStart(), StringComparison.Ordinal);
    }
}
