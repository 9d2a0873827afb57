using System.Text;

namespace OpenHearth.Engine.Tests.Tokenization;

public class StreamingDecoderTests
{
    [Fact]
    public void StreamingDecoder_SmolLm2_ShowsWholeCharactersOnly()
    {
        var tokenizer = Expectations.Load("models/smollm2_135m_instruct/SmolLM2-135M-Instruct.Q4_1.gguf");
        using var vectors = Expectations.Json("tokenizers_expected", "stream_smollm2.json");
        foreach (var test in vectors.RootElement.GetProperty("cases").EnumerateArray())
        {
            foreach (var suffix in (string[])["", "_skip_special"])
            {
                if (!test.TryGetProperty("pieces" + suffix, out var pieces))
                    continue;
                var decoder = tokenizer.StartDecoding(suffix.Length > 0);
                var ids = Expectations.Numbers(test.GetProperty("ids"));
                var flush = test.GetProperty(test.TryGetProperty("flush" + suffix, out _) ? "flush" + suffix : "flush").GetString();
                string[] want = [.. pieces.EnumerateArray().Select(p => p.GetString()!)];
                Assert.Equal(want, ids.Select(decoder.Append));
                Assert.Equal(flush, decoder.Flush());
                Assert.Equal(string.Concat(want) + flush, tokenizer.Decode(ids, suffix.Length > 0));
            }
        }
    }

    [Fact]
    public void StreamingDecoder_RandomBytes_GivesWhatDecodingAtOnceGives()
    {
        var tokenizer = SmallVocabularies.Bytes();
        var random = new Random(1);
        for (var round = 0; round < 2000; round++)
        {
            // Continuations, leads and letters, so that many sequences are cut short.
            var bytes = new byte[random.Next(1, 12)];
            foreach (ref var value in bytes.AsSpan())
                value = (byte)(random.Next(3) switch { 0 => random.Next(0x80, 0xC0), 1 => random.Next(0xC0, 0x100), _ => random.Next('a', 'z') });
            var decoder = tokenizer.StartDecoding();
            var text = new StringBuilder();
            foreach (var value in bytes)
            {
                var shown = decoder.Append(value);
                Assert.False(shown.Length > 0 && char.IsHighSurrogate(shown[^1]));
                text.Append(shown);
            }
            Assert.Equal(Encoding.UTF8.GetString(bytes), text.Append(decoder.Flush()).ToString());
        }
    }
}
