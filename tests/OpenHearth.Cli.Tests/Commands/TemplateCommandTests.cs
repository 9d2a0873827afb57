using System.Text.Json.Nodes;

namespace OpenHearth.Cli.Tests.Commands;

public sealed class TemplateCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hearth-template-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Run_ModelAndMessages_IsExactlyThePrompt()
    {
        var terminal = new FakeTerminal();
        var messages = File("m.json", """[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"}]""");
        Assert.Equal(0, terminal.Run("template", "smollm2", "--messages", messages));
        Assert.Equal("<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n", terminal.Output);
        var without = new FakeTerminal();
        Assert.Equal(0, without.Run("template", "smollm2", "--messages", messages, "--no-generation-prompt", "--json"));
        Assert.Equal("<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n", (string)JsonNode.Parse(without.Output)!["text"]!);
    }

    [Fact]
    public void Run_TemplateAndVariables_RendersThem()
    {
        var terminal = new FakeTerminal { Variables = { ["HEARTH_NOW"] = "2026-03-15T09:30:00" } };
        Assert.Equal(0, terminal.Run("template", "--template", File("t.jinja", "{{ name }} {{ strftime_now('%H:%M') }}"), "--vars", File("v.json", """{"name":"A"}""")));
        Assert.Equal("A 09:30", terminal.Output);
    }

    [Fact]
    public void Run_TemplateThatRaises_Returns1WithItsMessage()
    {
        var terminal = new FakeTerminal();
        Assert.Equal(1, terminal.Run("template", "--template", File("t.jinja", "{{ raise_exception('No.') }}"), "--vars", File("v.json", "{}")));
        Assert.Contains("No.", terminal.Error);
        Assert.Equal("", terminal.Output);
    }

    [Fact]
    public void Run_Batch_TakesTemplatesAndVariables()
    {
        var terminal = new FakeTerminal();
        var batch = File("b.json", """
            [
              {"template": "{{ x }}!", "variables": {"x": 1}},
              {"template": "{{ raise_exception('No.') }}", "variables": {}},
              {"template": "{% if", "variables": {}},
              {"variables": {"messages": [{"role": "user", "content": "Hi"}]}},
              {"template": "{{ x }}"}
            ]
            """);
        Assert.Equal(1, terminal.Run("template", "smollm2", "--batch", batch));
        var results = JsonNode.Parse(terminal.Output)!.AsArray();
        Assert.Equal("1!", (string)results[0]!["text"]!);
        Assert.Contains("No.", (string)results[1]!["error"]!);
        Assert.NotNull(results[2]!["error"]);
        Assert.EndsWith("<|im_start|>user\nHi<|im_end|>\n", (string)results[3]!["text"]!, StringComparison.Ordinal);
        Assert.NotNull(results[4]!["error"]);
    }

    [Fact]
    public void Run_TextsThatAreNoUnicode_AreNoBugToReport()
    {
        var terminal = new FakeTerminal();
        var batch = File("b.json", """
            [
              {"template": "\ud800", "variables": {}},
              {"variables": {"\ud800": 1}},
              {"variables": {"messages": [{"\ud800": 1}]}},
              {"variables": {"messages": [{"role": "user", "content": "\ud800"}]}}
            ]
            """);
        Assert.Equal(1, terminal.Run("template", "smollm2", "--batch", batch));
        var errors = JsonNode.Parse(terminal.Output)!.AsArray().Select(result => (string)result!["error"]!).ToList();
        Assert.Equal(4, errors.Count);
        Assert.All(errors, error => Assert.Contains("surrogate", error));
        Assert.DoesNotContain("Unexpected", terminal.Output);
        var file = new FakeTerminal();
        Assert.Equal(1, file.Run("template", "--template", File("t.jinja", "x"), "--vars", File("v.json", """{"\ud800": 1}""")));
        Assert.DoesNotContain("Unexpected", file.Error);
        var texts = new FakeTerminal();
        Assert.Equal(1, texts.Run("tokenize", "smollm2", "--batch", File("x.json", """["\ud800", "a"]""")));
        Assert.Contains("surrogate", (string)JsonNode.Parse(texts.Output)![0]!["error"]!);
    }

    [Theory]
    [InlineData("template")]
    [InlineData("template", "smollm2")]
    public void Run_TooLittle_Returns2(params string[] args) => Assert.Equal(2, new FakeTerminal().Run(args));

    private string File(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        System.IO.File.WriteAllText(path, text);
        return path;
    }
}
