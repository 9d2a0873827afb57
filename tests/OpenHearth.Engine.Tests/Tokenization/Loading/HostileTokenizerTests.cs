using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Tokenization;
using OpenHearth.Engine.Tokenization.Loading;
using OpenHearth.Engine.Tokenization.Models;

namespace OpenHearth.Engine.Tests.Tokenization.Loading;

/// <summary>Damaged and hostile tokenizer files give a <see cref="ModelFormatException"/> with one line, never anything else.</summary>
public class HostileTokenizerTests
{
    [Theory]
    [InlineData("""{}""", "model")]
    [InlineData("""{"model":null}""", "model")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0}}}""", "merges")]
    [InlineData("""{"model":{"type":"BPE","vocab":{},"merges":[]}}""", "vocab")]
    [InlineData("""{"model":{"type":"BPE","vocab":[],"merges":[]}}""", "vocab")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":-1},"merges":[]}}""", "'a'")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":2000000000},"merges":[]}}""", "'a'")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0.5},"merges":[]}}""", "'a'")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0,"b":1},"merges":["a b"]}}""", "merges")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0,"b":1},"merges":["a c"]}}""", "'c'")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0,"b":1},"merges":["ab"]}}""", "merges")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0},"merges":[["a"]]}}""", "merges")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0},"merges":[7]}}""", "merges")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"\ud800":0},"merges":[]}}""", "Unicode")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0},"merges":[],"end_of_word_suffix":"</w>"}}""", "end_of_word_suffix")]
    [InlineData("""{"model":{"type":"Unigram","unk_id":7,"vocab":[["a",0]]}}""", "unk_id")]
    [InlineData("""{"model":{"type":"Unigram","vocab":[["a"]]}}""", "vocab")]
    [InlineData("""{"model":{"type":"Unigram","vocab":[["a",1e999]]}}""", "vocab")]
    [InlineData("""{"model":{"type":"WordPiece","vocab":{"a":0}}}""", "unk_token")]
    [InlineData("""{"model":{"type":"Magic","vocab":{"a":0}}}""", "'Magic'")]
    [InlineData("""{"model":{"type":"WordLevel","vocab":{"a":0}},"normalizer":{"type":"Magic"}}""", "'Magic'")]
    [InlineData("""{"model":{"type":"WordLevel","vocab":{"a":0}},"normalizer":{"type":"Precompiled","precompiled_charsmap":"AAAA"}}""", "precompiled_charsmap")]
    [InlineData("""{"model":{"type":"WordLevel","vocab":{"a":0}},"normalizer":{"type":"Replace","pattern":{"Regex":"(a"},"content":""}}""", "(a")]
    [InlineData("""{"model":{"type":"WordLevel","vocab":{"a":0}},"pre_tokenizer":{"type":"Split","pattern":{"Regex":"[["},"behavior":"Isolated"}}""", "[[")]
    [InlineData("""{"model":{"type":"WordLevel","vocab":{"a":0}},"pre_tokenizer":{"type":"Split","pattern":{},"behavior":"Isolated"}}""", "Regex")]
    [InlineData("""{"model":{"type":"WordLevel","vocab":{"a":0}},"decoder":{"type":"CTC"}}""", "'CTC'")]
    [InlineData("""{"model":{"type":"WordLevel","vocab":{"a":0}},"post_processor":{"type":"BertProcessing","cls":["a",9],"sep":["a",0]}}""", "9")]
    [InlineData("""{"model":{"type":"WordLevel","vocab":{"a":0}},"added_tokens":[{"id":1}]}""", "content")]
    [InlineData("""{"model":{"type":"WordLevel","vocab":{"a":0}},"added_tokens":[{"id":2147483647,"content":"x"}]}""", "'x'")]
    [InlineData("""{"model":{"type":"WordLevel","vocab":{"a":0}},"added_tokens":7}""", "added_tokens")]
    [InlineData("""{"model":{"type":"WordLevel","vocab":{"a":"b"}}}""", "'a'")]
    [InlineData("""[1""", "JSON")]
    public void TokenizerJson_Damaged_NamesWhatIsWrong(string json, string named) =>
        AssertOneLine(Assert.Throws<ModelFormatException>(() => TokenizerJson.Load(Encoding.UTF8.GetBytes(json))), named);

    [Fact]
    public void TokenizerJson_NestedTooDeep_IsAFormatError()
    {
        var sequence = """{"type":"NFC"}""";
        for (var i = 0; i < 12; i++)
            sequence = $$"""{"type":"Sequence","normalizers":[{{sequence}}]}""";
        Assert.Throws<ModelFormatException>(() => TokenizerJson.Load(Encoding.UTF8.GetBytes($$$"""{"model":{"type":"WordLevel","vocab":{"a":0}},"normalizer":{{{sequence}}}}""")));
        Assert.Throws<ModelFormatException>(() => TokenizerJson.Load(Encoding.UTF8.GetBytes(new string('[', 100_000))));
    }

    [Fact]
    public void TokenizerJson_MutatedFields_LoadOrAreFormatErrors()
    {
        var random = new Random(4);
        var original = JsonSerializer.SerializeToUtf8Bytes(Sample());
        var failed = 0;
        for (var round = 0; round < 3000; round++)
        {
            var bytes = (byte[])original.Clone();
            for (var i = random.Next(1, 4); i > 0; i--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            failed += Survives(() => TokenizerJson.Load(bytes)) ? 0 : 1;
        }
        Assert.InRange(failed, 500, 3000);
    }

    [Fact]
    public void SentencePiece_MutatedAndTruncated_LoadOrAreFormatErrors()
    {
        var random = new Random(6);
        var original = SmallVocabularies.SentencePiece(isBpe: true, [("<unk>", 0, TokenKind.Unknown), ("<s>", 0, TokenKind.Control), ("▁", -2, TokenKind.Normal),
            ("a", -3, TokenKind.Normal), ("▁a", -1, TokenKind.Normal), .. Enumerable.Range(0, 256).Select(b => ($"<0x{b:X2}>", 0f, TokenKind.Byte))]);
        for (var length = 0; length < original.Length; length += 7)
            Survives(() => SentencePieceFile.Load(original.AsSpan(0, length)));
        var failed = 0;
        for (var round = 0; round < 3000; round++)
        {
            var bytes = (byte[])original.Clone();
            for (var i = random.Next(1, 4); i > 0; i--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            failed += Survives(() => SentencePieceFile.Load(bytes)) ? 0 : 1;
        }
        Assert.InRange(failed, 300, 3000);
    }

    [Theory]
    [InlineData("1 'a' 1\n3 'b' 1\n")]
    [InlineData("1 'a' 2\n")]
    [InlineData("1 'a 1\n")]
    [InlineData("1 '\\xzz' 1\n")]
    [InlineData("1 '\\ud800' 3\n")]
    [InlineData("1 '' 0\n")]
    [InlineData("1 'a'\n")]
    public void RwkvVocabulary_Damaged_IsAFormatError(string text) =>
        AssertOneLine(Assert.Throws<ModelFormatException>(() => RwkvVocabulary.Load(Encoding.UTF8.GetBytes(text))), "RWKV");

    [Theory]
    [InlineData("YQ== 1\n")]
    [InlineData("???? 0\n")]
    [InlineData("YQ==\n")]
    [InlineData("\n")]
    public void TiktokenRanks_Damaged_IsAFormatError(string text) =>
        AssertOneLine(Assert.Throws<ModelFormatException>(() => TiktokenRanks.Load(Encoding.UTF8.GetBytes(text), "cl100k", [], new TokenRoles())), "tiktoken");

    [Fact]
    public void FromFile_NoTokenizer_SaysSo()
    {
        var path = Path.GetTempFileName();
        File.WriteAllText(path, "hello");
        AssertOneLine(Assert.Throws<ModelFormatException>(() => Tokenizer.FromFile(path)), path);
        File.WriteAllBytes(path, []);
        AssertOneLine(Assert.Throws<ModelFormatException>(() => Tokenizer.FromFile(path)), path);
        File.Delete(path);
    }

    private static bool Survives(Func<Tokenizer> load)
    {
        try
        {
            var tokenizer = load();
            var ids = tokenizer.Encode("a <s> aa\u0301 €", parseSpecial: true);
            tokenizer.Decode(ids);
            tokenizer.EncodeWithOffsets("a <s> aa\u0301 €", new EncodeOptions());
            return true;
        }
        catch (ModelFormatException)
        {
            return false;
        }
    }

    private static void AssertOneLine(ModelFormatException failure, string named)
    {
        Assert.Contains(named, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure.Message);
    }

    private static JsonNode Sample() => JsonNode.Parse("""
        {"added_tokens":[{"id":5,"content":"<s>","special":true,"normalized":true,"lstrip":true}],
         "normalizer":{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Lowercase"},{"type":"Replace","pattern":{"String":" "},"content":"▁"}]},
         "pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},{"type":"Metaspace","replacement":"▁","prepend_scheme":"first"}]},
         "post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>"}},{"Sequence":{"id":"A"}}],"special_tokens":{"<s>":{"ids":[5]}}},
         "decoder":{"type":"Sequence","decoders":[{"type":"Replace"},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1}]},
         "model":{"type":"BPE","unk_token":"u","fuse_unk":true,"vocab":{"a":0,"u":1,"▁":2,"▁a":3,"aa":4},"merges":["▁ a",["a","a"]]}}
        """)!;
}
