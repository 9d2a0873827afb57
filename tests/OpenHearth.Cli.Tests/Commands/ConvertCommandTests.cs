using System.Text.Json.Nodes;

namespace OpenHearth.Cli.Tests.Commands;

public sealed class ConvertCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hearth-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Run_Json_WritesAModelThatKeepsTokenizerAndTemplate()
    {
        var file = Path.Combine(_folder, "q8.gguf");
        var terminal = new FakeTerminal();
        Assert.Equal(0, terminal.Run("convert", "smollm2", "--out", file, "--type", "Q8_0", "--json"));
        var document = JsonNode.Parse(terminal.Output)!;
        Assert.Equal((file, "q8_0", new FileInfo(file).Length), ((string)document["path"]!, (string)document["type"]!, (long)document["bytes"]!));
        Assert.Empty(terminal.Error);
        Assert.Equal(Shown("smollm2", "chat_template"), Shown(file, "chat_template"));
        Assert.Equal(Tokens("smollm2"), Tokens(file));
        Assert.Equal("Q8_0", (string)JsonNode.Parse(Shown(file, "tensors"))![0]!["type"]!);
    }

    [Theory]
    [InlineData("q9_9", "--type takes f32")]
    [InlineData("", "--type takes f32")]
    public void Run_WithATypeThatIsNone_NamesThoseThatAre(string type, string expected)
    {
        var terminal = new FakeTerminal();
        Assert.Equal(2, terminal.Run("convert", "smollm2", "--out", Path.Combine(_folder, "x.gguf"), "--type", type));
        Assert.Contains(expected, terminal.Error);
        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Theory]
    [InlineData(1, "folder.gguf", "folder.gguf is a folder; give the name of a file.")]
    [InlineData(3, "absent/x.gguf", "There is no folder ")]
    [InlineData(2, "", "--out takes the name of a file or folder.")]
    public void Run_WithAnOutThatCantBe_SaysWhyAndLeavesNothing(int exitCode, string name, string expected)
    {
        Directory.CreateDirectory(Path.Combine(_folder, "folder.gguf"));
        var terminal = new FakeTerminal();
        Assert.Equal(exitCode, terminal.Run("convert", "smollm2", "--out", name.Length == 0 ? "" : Path.Combine(_folder, name), "--type", "f16"));
        Assert.Contains(expected, terminal.Error);
        Assert.DoesNotContain(".partial", terminal.Error);
        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Fact]
    public void Run_WithoutOut_IsAWrongCommandLine() => Assert.Equal(2, new FakeTerminal().Run("convert", "smollm2", "--type", "f16"));

    private static string Shown(string model, string key)
    {
        var terminal = new FakeTerminal();
        Assert.Equal(0, terminal.Run("show", model, "--json"));
        return JsonNode.Parse(terminal.Output)![key]!.ToJsonString();
    }

    private static string Tokens(string model)
    {
        var terminal = new FakeTerminal();
        Assert.Equal(0, terminal.Run("tokenize", model, "Grüße, 12 tokens <|im_start|>", "--parse-special", "--json"));
        return terminal.Output;
    }
}
