namespace OpenHearth.Engine.Tests.Tokenization;

/// <summary>The test strings that llama.cpp ships with its vocabularies.</summary>
public class LlamaCppVectorTests
{
    [Theory]
    [InlineData("bert-bge")]
    [InlineData("deepseek-coder")]
    [InlineData("deepseek-llm")]
    [InlineData("falcon")]
    [InlineData("gpt-2")]
    [InlineData("llama-spm")]
    [InlineData("phi-3")]
    [InlineData("starcoder")]
    [InlineData("llama-bpe", "tokenizer_llama3/vocab.bpe.gz")]
    [InlineData("qwen2", "tokenizer_qwen/qwen.tiktoken")]
    public void Tokenizer_VectorsOfAVocabulary_GivesTheirIds(string name, string? file = null)
    {
        var tokenizer = Expectations.Load(file ?? $"tokenizers_gguf_vocab/ggml-vocab-{name}.gguf");
        var vectors = Fixtures.Path("fixtures", "tokenizers_gguf_vocab", $"ggml-vocab-{name}.gguf.inp");
        var texts = File.ReadAllText(vectors).Split("\n__ggml_vocab_test__\n");
        var lines = File.ReadAllText(Path.ChangeExtension(vectors, ".out")).Split('\n');
        Assert.Equal(texts.Length, lines.Length);
        for (var i = 0; i < texts.Length; i++)
        {
            int[] want = [.. lines[i].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];
            Assert.Equal(want, tokenizer.Encode(texts[i], addSpecial: false));
        }
    }
}
