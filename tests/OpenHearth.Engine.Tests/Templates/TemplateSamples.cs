using System.Text.Json.Nodes;
using OpenHearth.Engine.Templates;

namespace OpenHearth.Engine.Tests.Templates;

/// <summary>The variables that small templates in these tests see.</summary>
internal static class TemplateSamples
{
    private const string Variables = """
        {"x": "Text", "u": "<b>", "none_": null, "l": [3, 1, 2], "d": {"a": 1, "b": "two"}, "s": "héé😀x",
         "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yo"}],
         "p": [{"name": "bob", "age": 30}, {"name": "Ada", "age": 36}, {"name": "cy", "age": 30, "vip": true}],
         "tree": [{"v": "a", "k": [{"v": "b", "k": []}, {"v": "c", "k": [{"v": "d", "k": []}]}]}]}
        """;

    public static string Render(string template, TemplateOptions? options = null) =>
        ChatTemplate.Parse(template).Render(JsonNode.Parse(Variables)!.AsObject(), options ?? TemplateFixtures.AtReferenceTime).Text;
}
