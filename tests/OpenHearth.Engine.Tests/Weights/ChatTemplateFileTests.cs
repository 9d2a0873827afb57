using OpenHearth.Engine.Files;
using OpenHearth.Engine.Weights;

namespace OpenHearth.Engine.Tests.Weights;

public sealed class ChatTemplateFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hearth").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("{}", null)]
    [InlineData("[]", null)]
    [InlineData("""{"chat_template":null}""", null)]
    [InlineData("""{"chat_template":"A{{x}}"}""", "A{{x}}")]
    [InlineData("""{"chat_template":[{"name":"tool_use","template":"T"},{"name":"default","template":"D"}]}""", "D")]
    [InlineData("""{"chat_template":[{"name":"tool_use","template":"T"},7]}""", null)]
    public void Read_OfAConfig_GivesTheDefaultTemplate(string config, string? expected)
    {
        Write("tokenizer_config.json", config);
        Assert.Equal(expected, ChatTemplateFile.Read(_folder));
    }

    [Fact]
    public void Read_WhereBothAreThere_TakesTheFileOfItsOwn()
    {
        Assert.Null(ChatTemplateFile.Read(_folder));
        Write("tokenizer_config.json", """{"chat_template":"old"}""");
        Write("chat_template.jinja", "new ü");
        Assert.Equal("new ü", ChatTemplateFile.Read(_folder));
    }

    [Theory]
    [InlineData("{")]
    [InlineData("{\"chat_template\":5}")]
    [InlineData("{\"chat_template\":\"\\ud800\"}")]
    [InlineData("{\"chat_template\":[{\"name\":\"default\",\"template\":5}]}")]
    public void Read_OfADamagedConfig_NamesTheFile(string config)
    {
        Write("tokenizer_config.json", config);
        Assert.Contains("tokenizer_config.json: ", Assert.Throws<ModelFormatException>(() => ChatTemplateFile.Read(_folder)).Message, StringComparison.Ordinal);
    }

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(_folder, name), text);
}
