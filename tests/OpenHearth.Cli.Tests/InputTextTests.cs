using System.Text;
using System.Text.Json.Nodes;

namespace OpenHearth.Cli.Tests;

public sealed class InputTextTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hearth-text-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("", -1, 0)]
    [InlineData("68656C6C6F", -1, 0)]
    [InlineData("C3A9F09F9880", -1, 0)]
    [InlineData("EFBBBF61", -1, 0)]
    [InlineData("FFFE61006200", -1, 0)] // UTF-16
    [InlineData("FEFF00610062", -1, 0)]
    [InlineData("FF", 0, 0xFF)]
    [InlineData("61C3A9E9", 3, 0xE9)] // Latin-1
    [InlineData("61EDA08061", 1, 0xED)] // half of a surrogate pair
    [InlineData("C080", 0, 0xC0)] // longer than it has to be
    [InlineData("6161F09F98", 2, 0xF0)] // cut
    [InlineData("EFBBBF61FF", 4, 0xFF)]
    [InlineData("80", 0, 0x80)]
    public void FirstWrong_OfBytes_IsTheFirstThatBeginsNoCharacter(string hex, int at, int value) =>
        Assert.Equal(at < 0 ? null : (at, (byte)value), InputText.FirstWrong(Convert.FromHexString(hex)));

    [Theory]
    [InlineData("tokenize")]
    [InlineData("perplexity")]
    public void Run_FileThatIsNoUtf8_IsRefusedWithThePlace(string command)
    {
        var file = Path.Combine(_folder, "latin1.txt");
        File.WriteAllBytes(file, Encoding.Latin1.GetBytes(string.Concat(Enumerable.Repeat("Grüße. ", 1000))));
        var terminal = new FakeTerminal();
        Assert.Equal(1, terminal.Run(command, "smollm2", "--file", file));
        Assert.Contains($"{file} is no UTF-8 text: byte 0xFC at 2 begins no character.", terminal.Error, StringComparison.Ordinal);
        Assert.Equal("", terminal.Output);
    }

    [Fact]
    public void Run_InputThatIsNoUtf8_IsReadWithAWarning()
    {
        var terminal = new FakeTerminal { InputBytes = [(byte)'a', 0xFC, (byte)'b'] };
        Assert.Equal(0, terminal.Run("tokenize", "smollm2", "--json"));
        Assert.StartsWith("hearth: warning: standard input is no UTF-8 text: byte 0xFC at 1", terminal.Error, StringComparison.Ordinal);
        var plain = new FakeTerminal();
        Assert.Equal(0, plain.Run("tokenize", "smollm2", "a\uFFFDb", "--json"));
        Assert.Equal(JsonNode.Parse(plain.Output)!["ids"]!.ToJsonString(), JsonNode.Parse(terminal.Output)!["ids"]!.ToJsonString());
    }

    [Fact]
    public void Run_FileWithAByteOrderMark_IsRead()
    {
        var file = Path.Combine(_folder, "utf16.txt");
        File.WriteAllText(file, "Grüße", Encoding.Unicode);
        var (marked, plain) = (new FakeTerminal(), new FakeTerminal());
        Assert.Equal(0, marked.Run("tokenize", "smollm2", "--file", file));
        Assert.Equal(0, plain.Run("tokenize", "smollm2", "Grüße"));
        Assert.Equal(plain.Output, marked.Output);
    }
}
