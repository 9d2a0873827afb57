using System.Text;
using OpenHearth.Engine.Tokenization;

namespace OpenHearth.Engine.Tests.Tokenization;

public class TokenizerTests
{
    private const string SmolLm2 = "models/SmolLM2-135M-Instruct.Q4_1.gguf";

    private static readonly Lazy<Tokenizer> BuiltIn = new(() => Tokenizer.FromFile(Path.Combine(Fixtures.Checkout, SmolLm2)));

    [Fact]
    public void BuiltInModel_KnowsItsRoles()
    {
        var tokenizer = BuiltIn.Value;
        Assert.Equal(49152, tokenizer.VocabularySize);
        Assert.Equal(tokenizer.FindToken("<|im_start|>"), tokenizer.BosId);
        Assert.Equal(tokenizer.FindToken("<|im_end|>"), tokenizer.EosId);
        Assert.False(tokenizer.AddBos);
        Assert.False(tokenizer.AddEos);
        Assert.Contains(tokenizer.FindToken("<|im_end|>")!.Value, tokenizer.EndOfGeneration);
        Assert.Contains(tokenizer.FindToken("<|endoftext|>")!.Value, tokenizer.EndOfGeneration);
        Assert.True(tokenizer.IsSpecial(tokenizer.FindToken("<|im_end|>")!.Value));
        Assert.Equal(" the"u8, tokenizer.TokenBytes(tokenizer.FindToken("Ġthe")!.Value));
        Assert.Null(tokenizer.FindToken("no such token"));
    }

    // SmolLM2 has no token for some control characters and for the first byte of characters beyond plane 3.
    [Fact]
    public void Encode_RandomUnicode_DecodesToTheSameText()
    {
        var random = new Random(2);
        var ids = new List<int>();
        for (var round = 0; round < 500; round++)
        {
            var text = new StringBuilder();
            for (var i = random.Next(60); i > 0; i--)
            {
                var codePoint = random.Next(4) switch { 0 => random.Next(0x20, 0x7F), 1 => random.Next(0x20, 0x2000), 2 => random.Next(0x20, 0x10000), _ => random.Next(0x10000, 0x40000) };
                text.Append(codePoint is >= 0xD800 and < 0xE000 ? "\uFFFD" : char.ConvertFromUtf32(codePoint));
            }
            ids.Clear();
            BuiltIn.Value.Encode(text.ToString(), ids, new EncodeOptions());
            Assert.Equal(text.ToString(), BuiltIn.Value.Decode(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(ids)));
        }
    }

    [Fact]
    public void Encode_UnpairedSurrogate_IsAReplacementCharacter() =>
        Assert.Equal("a\uFFFDb", BuiltIn.Value.Decode(BuiltIn.Value.Encode("a\uD800b")));

    [Fact]
    public void Encode_SpecialTokenInText_IsReadOnlyWhereAllowed()
    {
        var end = BuiltIn.Value.FindToken("<|im_end|>")!.Value;
        Assert.DoesNotContain(end, BuiltIn.Value.Encode("a<|im_end|>"));
        Assert.Equal(end, BuiltIn.Value.Encode("a<|im_end|>", parseSpecial: true)[^1]);
        Assert.Equal("a", BuiltIn.Value.Decode(BuiltIn.Value.Encode("a<|im_end|>", parseSpecial: true), skipSpecial: true));
    }

    [Fact]
    public void Encode_ManyThreadsAtOnce_GivesWhatOneThreadGives()
    {
        var tokenizer = Tokenizer.FromFile(Path.Combine(Fixtures.Checkout, SmolLm2));
        var texts = Enumerable.Range(0, 400).Select(i => $"Text number {i}: {new string((char)('a' + i % 26), i % 50)} {i * 7919} is {i % 3 == 0} 'til then…").ToArray();
        var want = texts.Select(t => BuiltIn.Value.Encode(t)).ToArray();
        Parallel.For(0, 1600, i => Assert.Equal(want[i % 400], tokenizer.Encode(texts[i % 400])));
    }

    [Fact]
    public void Encode_WarmCall_AllocatesNothing()
    {
        var ids = new List<int>(1000);
        const string Text = "The quick brown fox jumps over the lazy dog, again and again; 12 times in 2024.";
        for (var i = 0; i < 50; i++)
        {
            ids.Clear();
            BuiltIn.Value.Encode(Text, ids, new EncodeOptions());
        }
        var before = GC.GetAllocatedBytesForCurrentThread();
        ids.Clear();
        BuiltIn.Value.Encode(Text, ids, new EncodeOptions());
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void EncodeWithOffsets_CoversTheTextInOrder()
    {
        const string Text = "Grüße, 世界! 🙂🙂 naïve";
        var encoded = BuiltIn.Value.EncodeWithOffsets(Text, new EncodeOptions());
        Assert.Equal(BuiltIn.Value.Encode(Text), encoded.Ids);
        var at = 0;
        foreach (var (start, end) in encoded.Offsets)
        {
            Assert.InRange(start, 0, at);
            Assert.True(end >= at);
            at = end;
        }
        Assert.Equal(Encoding.UTF8.GetByteCount(Text), at);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(49152)]
    public void Decode_UnknownId_Throws(int id)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => BuiltIn.Value.Decode([id]));
        Assert.Throws<ArgumentOutOfRangeException>(() => BuiltIn.Value.StartDecoding().Append(id));
    }
}
