using System.Text;

namespace OpenHearth.Engine.Tests.Tokenization;

public class GgufConformanceTests
{
    [Theory]
    [InlineData("smollm2", "hf", "models/smollm2_135m_instruct/SmolLM2-135M-Instruct.Q4_1.gguf")]
    [InlineData("gpt-2", "hf", "fixtures/tokenizers_gguf_vocab/ggml-vocab-gpt-2.gguf")]
    [InlineData("falcon", "hf", "fixtures/tokenizers_gguf_vocab/ggml-vocab-falcon.gguf")]
    [InlineData("starcoder", "hf", "fixtures/tokenizers_gguf_vocab/ggml-vocab-starcoder.gguf")]
    [InlineData("deepseek-llm", "hf", "fixtures/tokenizers_gguf_vocab/ggml-vocab-deepseek-llm.gguf")]
    [InlineData("deepseek-coder", "hf", "fixtures/tokenizers_gguf_vocab/ggml-vocab-deepseek-coder.gguf")]
    [InlineData("bytelevel_qwen2", "hf", "fixtures/tokenizers_expected/trained/bytelevel_qwen2.gguf")]
    [InlineData("gpt-neox", "hf", "fixtures/tokenizers_gguf_vocab/ggml-vocab-gpt-neox.gguf")]
    [InlineData("phi-3-mini", "lc", "fixtures/tokenizers_gguf_vocab/ggml-vocab-phi-3.gguf")]
    [InlineData("llama-2", "lc", "fixtures/tokenizers_gguf_vocab/ggml-vocab-llama-spm.gguf")]
    [InlineData("spm_bpe_bytes", "lc", "fixtures/tokenizers_expected/trained/spm_bpe_bytes.gguf")]
    public void Gguf_HardStrings_GivesTheReferencesIds(string vocabulary, string reference, string path)
    {
        var tokenizer = Expectations.Gguf(Fixtures.Path(path.Split('/')));
        using var expected = Expectations.Vocabulary(vocabulary);
        var wrong = new StringBuilder();
        var count = 0;
        foreach (var test in expected.RootElement.GetProperty("cases").EnumerateArray())
        {
            var id = test.GetProperty("id").GetString()!;
            var text = Expectations.Corpus[id];
            foreach (var plain in (bool[])[false, true])
            {
                var ids = Expectations.Ids(test, reference, plain)!;
                var got = tokenizer.Encode(text, addSpecial: false, parseSpecial: !plain);
                if (!got.SequenceEqual(ids) && count++ < 8)
                    wrong.AppendLine($"{id} plain={plain} {text}\n  want {string.Join(',', ids)}\n  got  {string.Join(',', got)}");
            }
        }
        Assert.True(count == 0, $"{count} wrong\n{wrong}");
    }
}
