using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Engine.Tests.Files;
using OpenHearth.Engine.Tokenization;

namespace OpenHearth.Engine.Tests.Tokenization.Loading;

public class GgufTokenizerTests
{
    private const string Keys = "tokenizer.ggml.";

    [Theory]
    [InlineData("model", null, "tokenizer.ggml.model")]
    [InlineData("model", "magic", "'magic'")]
    [InlineData("tokens", null, "tokenizer.ggml.tokens")]
    [InlineData("merges", null, "tokenizer.ggml.merges")]
    [InlineData("merges", "a z", "'z'")]
    [InlineData("merges", "az", "merges")]
    [InlineData("merges", "ab a", "merges")]
    [InlineData("pre", "nobody", "'nobody'")]
    public void FromGguf_ByteLevelWithAFault_NamesIt(string key, string? value, string named)
    {
        var fields = ByteLevel();
        if (value is null)
            fields.Remove(key);
        else
            fields[key] = key == "merges" ? new[] { value } : value;
        AssertFault(fields, named);
    }

    [Fact]
    public void FromGguf_TooFewKinds_NamesThem()
    {
        var fields = ByteLevel();
        fields["token_type"] = new[] { 1 };
        AssertFault(fields, "token_type");
    }

    [Fact]
    public void FromGguf_ScoresMissingOrNoNumber_NamesThem()
    {
        var fields = ByteLevel();
        fields["model"] = "llama";
        AssertFault(fields, "scores");
        fields["scores"] = new[] { 0f, float.NaN, 0f };
        AssertFault(fields, "scores");
        fields["scores"] = new[] { 0f };
        AssertFault(fields, "scores");
    }

    [Fact]
    public void FromGguf_IdsOutOfRange_CountAsAbsent()
    {
        var fields = ByteLevel();
        fields["bos_token_id"] = 4294967295u;
        fields["eos_token_id"] = 77u;
        fields["add_bos_token"] = true;
        var tokenizer = Load(fields);
        Assert.Null(tokenizer.BosId);
        Assert.Null(tokenizer.EosId);
        Assert.False(tokenizer.AddBos);
        Assert.Equal([2], tokenizer.Encode("ab"));
    }

    [Fact]
    public void FromGguf_Rwkv_TakesTheLongestTokenAndUnescapes()
    {
        var tokenizer = Load(new Dictionary<string, object> { ["model"] = "rwkv", ["tokens"] = new[] { "<s>", "a", "\\n", "\\n\\n", "\\xe2\\x82\\xac", "ab" } });
        Assert.Equal([5, 3, 2, 4, 1], tokenizer.Encode("ab\n\n\n€a"));
        Assert.Equal("ab\n\n\n€a", tokenizer.Decode([5, 3, 2, 4, 1]));
        Assert.Equal(0, tokenizer.EosId);
    }

    [Fact]
    public void FromGguf_Gemma4_MergesCharactersAndFallsBackToBytes()
    {
        string[] tokens = ["<bos>", "a", "▁", "▁a", .. Enumerable.Range(0, 256).Select(b => $"<0x{b:X2}>")];
        var tokenizer = Load(new Dictionary<string, object>
        {
            ["model"] = "gemma4",
            ["tokens"] = tokens,
            ["token_type"] = tokens.Select((_, i) => i == 0 ? 3 : i < 4 ? 1 : 6).ToArray(),
            ["merges"] = new[] { "▁ a" },
            ["bos_token_id"] = 0u,
        });
        Assert.Equal([0, 1, 3, 14, 3, 4 + 0xE2, 4 + 0x82, 4 + 0xAC], tokenizer.Encode("a a\n a€"));
        Assert.Equal("a a\n a€", tokenizer.Decode(tokenizer.Encode("a a\n a€"), skipSpecial: true));
    }

    private static Dictionary<string, object> ByteLevel() => new()
    {
        ["model"] = "gpt2",
        ["pre"] = "gpt-2",
        ["tokens"] = new[] { "a", "b", "ab" },
        ["merges"] = new[] { "a b" },
    };

    private static void AssertFault(Dictionary<string, object> fields, string named)
    {
        var failure = Assert.Throws<ModelFormatException>(() => Load(fields));
        Assert.Contains(named, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure.Message);
    }

    private static Tokenizer Load(Dictionary<string, object> fields)
    {
        using var folder = new TemporaryFolder();
        var writer = new GgufWriter();
        foreach (var (key, value) in fields)
            writer.Add(Keys + key, value);
        writer.Write(folder["t.gguf"]);
        return Tokenizer.FromFile(folder["t.gguf"]);
    }
}
