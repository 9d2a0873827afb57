using System.Text.Json.Nodes;

namespace OpenHearth.Cli.Tests.Commands;

public sealed class TokenizeCommandTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void Run_Json_IsOneDocument()
    {
        var terminal = new FakeTerminal();
        Assert.Equal(0, terminal.Run("tokenize", "smollm2", "Hello, world", "--json"));
        Assert.Equal("""{"ids":[19556,28,905],"pieces":["Hello",",","Ġworld"],"offsets":[[0,5],[5,6],[6,12]]}""" + "\n", terminal.Output);
        Assert.Equal("", terminal.Error);
    }

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("model.safetensors.index.json")]
    [InlineData("")]
    public void Run_PartOfASafetensorsModel_TakesTheTokenizerBesideIt(string name)
    {
        var folder = Directory.CreateTempSubdirectory("hearth-test-").FullName;
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), """{"model":{"type":"BPE","vocab":{"a":0,"b":1},"merges":[]}}""");
        var path = Path.Combine(folder, name);
        if (name.Length > 0)
            File.WriteAllText(path, "");
        var terminal = new FakeTerminal();
        var code = terminal.Run("tokenize", path, "ba");
        Directory.Delete(folder, recursive: true);
        Assert.Equal("", terminal.Error);
        Assert.Equal(0, code);
        Assert.Equal("1\tb\n0\ta\n", terminal.Output);
    }

    [Fact]
    public void Run_Plain_IsOneLineAToken()
    {
        var terminal = new FakeTerminal { Input = "Hello\n" };
        Assert.Equal(0, terminal.Run("tokenize", "smollm2"));
        Assert.Equal("19556\tHello\n198\tĊ\n", terminal.Output);
    }

    [Theory]
    [InlineData(false, 7)]
    [InlineData(true, 1)]
    public void Run_ParseSpecial_ReadsMarks(bool parse, int tokens)
    {
        var terminal = new FakeTerminal { Input = "<|im_end|>" };
        Assert.Equal(0, terminal.Run(parse ? ["tokenize", "smollm2", "--parse-special", "--json"] : ["tokenize", "smollm2", "--json"]));
        Assert.Equal(tokens, JsonNode.Parse(terminal.Output)!["ids"]!.AsArray().Count);
    }

    [Fact]
    public void Run_File_IsItsText()
    {
        File.WriteAllText(_file, "Hello");
        var terminal = new FakeTerminal();
        Assert.Equal(0, terminal.Run("tokenize", "smollm2", "--file", _file));
        Assert.Equal("19556\tHello\n", terminal.Output);
        Assert.Equal(2, terminal.Run("tokenize", "smollm2", "text", "--file", _file));
    }

    [Fact]
    public void Run_MissingFile_Returns3()
    {
        var terminal = new FakeTerminal();
        Assert.Equal(3, terminal.Run("tokenize", "smollm2", "--file", _file + ".absent"));
        Assert.Contains("There is no file", terminal.Error);
    }

    [Fact]
    public void Run_Batch_GoesOnAfterAnItemThatFails()
    {
        File.WriteAllText(_file, """["Hello", 3, "", "Hello"]""");
        var terminal = new FakeTerminal();
        Assert.Equal(1, terminal.Run("tokenize", "smollm2", "--batch", _file));
        var results = JsonNode.Parse(terminal.Output)!.AsArray();
        Assert.Equal(4, results.Count);
        Assert.Equal("A text was expected, not a number.", (string)results[1]!["error"]!);
        Assert.Empty(results[2]!["ids"]!.AsArray());
        Assert.Equal(results[0]!.ToJsonString(), results[3]!.ToJsonString());
    }

    [Theory]
    [InlineData("{}", "holds an object; an array was expected")]
    [InlineData("[1,", "is no JSON")]
    public void Run_BatchThatIsNoArray_Fails(string json, string expected)
    {
        File.WriteAllText(_file, json);
        var terminal = new FakeTerminal();
        Assert.Equal(1, terminal.Run("tokenize", "smollm2", "--batch", _file));
        Assert.Contains(expected, terminal.Error);
        Assert.Equal("", terminal.Output);
    }

    [Fact]
    public void Run_EmptyBatch_IsAnEmptyArray()
    {
        File.WriteAllText(_file, "\uFEFF[]");
        var terminal = new FakeTerminal();
        Assert.Equal(0, terminal.Run("tokenize", "smollm2", "--batch", _file));
        Assert.Equal("[]\n", terminal.Output);
    }
}
