using OpenHearth.Engine.Templates;

namespace OpenHearth.Engine.Tests.Templates.Text;

/// <summary>The filter tojson, which is json.dumps without HTML escapes. The expectations are what Jinja 2 gives.</summary>
public sealed class JsonTextTests
{
    [Theory]
    [InlineData("{{ {\"b\": [1, 2.0, none, true], \"a\": {\"x\": \"é \\\"q\\\" <&> \\u2028\\n\", \"y\": {}}, \"e\": [], 1: (1, 2), none: 0}|tojson }}", "{\"b\": [1, 2.0, null, true], \"a\": {\"x\": \"é \\\"q\\\" <&> \u2028\\n\", \"y\": {}}, \"e\": [], \"1\": [1, 2], \"null\": 0}")]
    [InlineData("{{ [1, [2, {\"a\": []}], {}]|tojson(indent=2) }} {{ {\"b\": 1, \"a\": [1]}|tojson(indent=4, sort_keys=true) }} {{ [1]|tojson(indent=\"--\") }} {{ {\"a\": 1, \"b\": 2}|tojson(separators=(\",\", \":\")) }} {{ \"é😀\\x7f\"|tojson(ensure_ascii=true) }} {{ \"\\x01\\x7f\\\\/\"|tojson }}", "[\n  1,\n  [\n    2,\n    {\n      \"a\": []\n    }\n  ],\n  {}\n] {\n    \"a\": [\n        1\n    ],\n    \"b\": 1\n} [\n--1\n] {\"a\":1,\"b\":2} \"\\u00e9\\ud83d\\ude00\\u007f\" \"\\u0001\u007f\\\\/\"")]
    [InlineData("{{ 1.0|tojson }} {{ 12345678901234567890|tojson }} {{ 1e20|tojson }} {{ 1e400|tojson }} {{ (\"<\"|safe)|tojson }}", "1.0 12345678901234567890 1e+20 Infinity \"<\"")]
    public void Template_Rendered_EqualsJinja(string template, string expected) =>
        Assert.Equal(expected, TemplateSamples.Render(template));

    [Theory]
    [InlineData("{{ range(3)|tojson }}", TemplateErrorKind.Type, "Object of type range is not JSON serializable")]
    [InlineData("{{ (l|map(\"string\"))|tojson }}", TemplateErrorKind.Type, "Object of type generator is not JSON serializable")]
    [InlineData("{{ {(1, 2): 3}|tojson }}", TemplateErrorKind.Type, "keys must be str, int, float, bool or None, not tuple")]
    public void Template_Wrong_FailsAsJinja(string template, TemplateErrorKind kind, string message)
    {
        var failure = Assert.Throws<TemplateException>(() => TemplateSamples.Render(template));
        Assert.Equal((kind, message), (failure.Kind, failure.Message));
    }
}
