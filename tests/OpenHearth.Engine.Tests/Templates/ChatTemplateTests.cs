using System.Text.Json;
using System.Text.Json.Nodes;
using OpenHearth.Engine.Templates;

namespace OpenHearth.Engine.Tests.Templates;

public sealed class ChatTemplateTests
{
    [Fact]
    public void ChatMl_OfTwoMessages_HasTheirMarks()
    {
        var prompt = new ChatPrompt([new ChatTurn("system", "Be kind."), new ChatTurn("user", "Hi {{ x }}")]);
        Assert.Equal(
            "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi {{ x }}<|im_end|>\n<|im_start|>assistant\n",
            prompt.Render(ChatTemplate.ChatMl).Text);
    }

    [Fact]
    public void Render_ObjectOfClrNumbers_KeepsFloatsAndIntegersApart()
    {
        var variables = new JsonObject { ["a"] = 10000.0, ["b"] = 10000, ["c"] = 0.5f, ["d"] = 7L, ["e"] = 1.25m };
        Assert.Equal("10000.0 10000 0.5 7 1.25", ChatTemplate.Parse("{{ a }} {{ b }} {{ c }} {{ d }} {{ e }}").Render(variables).Text);
    }

    [Theory]
    [InlineData("10000.0", "10000.0")]
    [InlineData("10000", "10000")]
    [InlineData("1e4", "10000.0")]
    [InlineData("-0", "0")]
    [InlineData("-0.0", "-0.0")]
    [InlineData("123456789012345678901234567890", "123456789012345678901234567890")]
    [InlineData("1e999", "inf")]
    [InlineData("{\"a\": 1, \"b\": 2, \"a\": 3}", "{'a': 3, 'b': 2}")]
    public void Render_ParsedJson_ReadsItAsPythonDoes(string json, string expected)
    {
        using var document = JsonDocument.Parse($"{{\"v\": {json}}}");
        Assert.Equal(expected, ChatTemplate.Parse("{{ v }}").Render(document.RootElement).Text);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{\"v\": \"\\ud800\"}")]
    public void Render_UnusableVariables_Fails(string json)
    {
        using var document = JsonDocument.Parse(json);
        var failure = Assert.Throws<TemplateException>(() => ChatTemplate.Parse("{{ v }}").Render(document.RootElement));
        Assert.Equal(TemplateErrorKind.Value, failure.Kind);
    }

    [Theory]
    [InlineData("{\"\\ud800\": 1}")]
    [InlineData("{\"v\": {\"\\ud800\": 1}}")]
    public void Render_KeysOfNodesThatAreNoUnicode_Fails(string json)
    {
        var failure = Assert.Throws<TemplateException>(() => ChatTemplate.Parse("{{ v }}").Render(JsonNode.Parse(json)!.AsObject()));
        Assert.Equal(TemplateErrorKind.Value, failure.Kind);
    }

    [Fact]
    public void Render_VariablesNestedTooDeep_Fails()
    {
        using var document = JsonDocument.Parse($"{{\"v\": {new string('[', 5000)}{new string(']', 5000)}}}", new() { MaxDepth = 6000 });
        var failure = Assert.Throws<TemplateException>(() => ChatTemplate.Parse("{{ v }}").Render(document.RootElement));
        Assert.Equal(TemplateErrorKind.Limit, failure.Kind);
    }

    [Fact]
    public void Render_GenerationMarks_GivesSpansInUtf16Units()
    {
        var template = ChatTemplate.Parse("😀{% generation %}é😀{% endgeneration %}-{% for i in [1, 2] %}{% generation %}{{ i }}{% endgeneration %}{% endfor %}");
        var rendered = template.Render([]);
        Assert.True(template.MarksGeneration);
        Assert.Equal("😀é😀-12", rendered.Text);
        Assert.Equal([(2, 5), (6, 7), (7, 8)], rendered.GenerationSpans);
    }

    [Fact]
    public void Render_RaisedException_CarriesMessageAndLine()
    {
        var template = ChatTemplate.Parse("a\n{% if true %}\n{{ raise_exception('Only user and assistant!') }}{% endif %}");
        var failure = Assert.Throws<TemplateException>(() => template.Render([]));
        Assert.Equal((TemplateErrorKind.Raised, "Only user and assistant!", 3), (failure.Kind, failure.Message, failure.Line));
        Assert.Equal("Only user and assistant!", failure.Report);
    }

    [Fact]
    public void Report_OfFailure_NamesTheLine()
    {
        var failure = Assert.Throws<TemplateException>(() => ChatTemplate.Parse("a\n{{ nope.x }}").Render([]));
        Assert.Equal("chat template, line 2: 'nope' is undefined", failure.Report);
    }

    [Theory]
    [InlineData("a\n\n{{ x + }}", 3)]
    [InlineData("{# a\n b #}\n{% if x %}\n{% nope %}", 4)]
    [InlineData("{{ 1 }}\n{{ 'a\nb' }}\n{{ $ }}", 4)]
    [InlineData("a\r\nb\r\n{% endfor %}", 3)]
    public void Parse_WrongSyntax_NamesTheLine(string source, int line)
    {
        var failure = Assert.Throws<TemplateException>(() => ChatTemplate.Parse(source));
        Assert.Equal((TemplateErrorKind.Syntax, line), (failure.Kind, failure.Line));
    }

    [Theory]
    [InlineData("{% macro m() %}\n\n{{ 1 }}{% endmacro %}\n{{ m() }}{{ nope.x }}", 4)]
    [InlineData("{% macro m() %}\n\n{{ nope.x }}{% endmacro %}\n{{ m() }}", 3)]
    public void Render_FailureInOrAfterMacro_NamesTheLine(string source, int line) =>
        Assert.Equal(line, Assert.Throws<TemplateException>(() => ChatTemplate.Parse(source).Render([])).Line);

    [Fact]
    public void Render_FromManyThreads_GivesTheSame()
    {
        var template = ChatTemplate.Parse("{% macro m(n) %}{% for i in range(n) %}{{ i }}{% endfor %}{% endmacro %}{% filter upper %}{{ x }}{{ m(5) }}{% endfilter %}{% set x = 1 %}");
        var texts = new string[200];
        Parallel.For(0, texts.Length, i => texts[i] = template.Render(new JsonObject { ["x"] = "a" }).Text);
        Assert.All(texts, text => Assert.Equal("01234", text));
    }

    [Fact]
    public void ToVariables_OfPrompt_HoldsWhatTemplatesExpect()
    {
        var prompt = new ChatPrompt([new ChatTurn("user", "Hi")])
        {
            Tools = [new JsonObject { ["name"] = "f" }],
            BosToken = "<s>",
            AddGenerationPrompt = false,
            Variables = new JsonObject { ["enable_thinking"] = false },
        };
        Assert.Equal(
            """{"messages":[{"role":"user","content":"Hi"}],"tools":[{"name":"f"}],"documents":null,"add_generation_prompt":false,"bos_token":"<s>","enable_thinking":false}""",
            prompt.ToVariables().ToJsonString(new JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
    }
}
