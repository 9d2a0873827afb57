using System.Text;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Tests.Files;
using OpenHearth.Engine.Tokenization;

namespace OpenHearth.Engine.Tests.Tokenization.Loading;

public class TokenizerFolderTests
{
    private const string Json = """
        {"added_tokens":[{"id":1,"content":"<s>","special":true,"normalized":false},{"id":2,"content":"</s>","special":true,"normalized":false},
                         {"id":3,"content":"<turn>","special":true,"normalized":false}],
         "pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},"decoder":{"type":"ByteLevel"},
         "model":{"type":"BPE","vocab":{"a":0},"merges":[]}}
        """;

    [Fact]
    public void FromFolder_FilesBesideTheTokenizer_SayTheRoles()
    {
        using var folder = new TemporaryFolder();
        Write(folder, "tokenizer.json", Json);
        Write(folder, "tokenizer_config.json", """{"bos_token":"<s>","eos_token":{"content":"<turn>"},"add_bos_token":true,"pad_token":null}""");
        Write(folder, "special_tokens_map.json", """{"eos_token":"</s>","pad_token":"</s>"}""");
        Write(folder, "generation_config.json", """{"eos_token_id":[2,3,99]}""");
        var tokenizer = Tokenizer.FromFolder(folder.ToString());
        Assert.Equal((1, 3, 2), (tokenizer.BosId, tokenizer.EosId, tokenizer.PadId));
        Assert.Equal([1, 0], tokenizer.Encode("a"));
        Assert.Equal([2, 3], tokenizer.EndOfGeneration.Order());
    }

    [Fact]
    public void FromFolder_TokenizerAlone_GuessesByName()
    {
        using var folder = new TemporaryFolder();
        Write(folder, "tokenizer.json", Json);
        var tokenizer = Tokenizer.FromFolder(folder.ToString());
        Assert.Equal((1, 2), (tokenizer.BosId, tokenizer.EosId));
        Assert.Equal([0], tokenizer.Encode("a"));
    }

    [Fact]
    public void FromFolder_RanksOfKimi_AreRead()
    {
        using var folder = new TemporaryFolder();
        Write(folder, "tiktoken.model", "YQ== 0\nYg== 1\nYWI= 2\n");
        Write(folder, "tokenizer_config.json", """{"tokenizer_class":"TikTokenTokenizer","added_tokens_decoder":{"5":{"content":"[EOS]","special":true}},"eos_token":"[EOS]"}""");
        var tokenizer = Tokenizer.FromFolder(folder.ToString());
        Assert.Equal([2, 0, 5], tokenizer.Encode("aba[EOS]", parseSpecial: true));
        Assert.Equal(5, tokenizer.EosId);
        Assert.Equal(6, tokenizer.VocabularySize);
    }

    [Theory]
    [InlineData("tokenizer_config.json", "{", "tokenizer_config.json")]
    [InlineData("tokenizer_config.json", """{"add_bos_token":"yes"}""", "add_bos_token")]
    [InlineData("tokenizer_config.json", """{"bos_token":7}""", "bos_token")]
    [InlineData("generation_config.json", "no", "generation_config.json")]
    public void FromFolder_DamagedFile_IsAFormatError(string name, string content, string named)
    {
        using var folder = new TemporaryFolder();
        Write(folder, "tokenizer.json", Json);
        Write(folder, name, content);
        Assert.Contains(named, Assert.Throws<ModelFormatException>(() => Tokenizer.FromFolder(folder.ToString())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromFolder_Nothing_SaysWhatIsMissing()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains("tokenizer.json", Assert.Throws<ModelFormatException>(() => Tokenizer.FromFolder(folder.ToString())).Message, StringComparison.Ordinal);
    }

    private static void Write(TemporaryFolder folder, string name, string content) => folder.Write(name, Encoding.UTF8.GetBytes(content));
}
