namespace OpenHearth.Engine.Tests.Templates.Text;

/// <summary>How texts and containers are printed. The expectations are what Jinja 2 gives.</summary>
public sealed class PythonStringTests
{
    [Theory]
    [InlineData("{{ [\"'\", '\"', \"'\\\"\", \"\\n\\t\\\\\", \"é\", \"\\u200b\", \"\\u00a0\", \"\\x00\", \"\\x7f\", \"😀\", \"\\u2028\"] }}", "[\"'\", '\"', '\\'\"', '\\n\\t\\\\', 'é', '\\u200b', '\\xa0', '\\x00', '\\x7f', '😀', '\\u2028']")]
    [InlineData("{{ {\"a\": \"x\", 1: none, \"n\": {\"m\": [1, 2.5, true]}, (1,): ()} }} {{ d.items() }} {{ d.keys() }} {{ d.values() }} {{ namespace(a=1) }} {{ range(3) }} {{ (\"<\"|safe, 1) }}", "{'a': 'x', 1: None, 'n': {'m': [1, 2.5, True]}, (1,): ()} dict_items([('a', 1), ('b', 'two')]) dict_keys(['a', 'b']) dict_values([1, 'two']) <Namespace {'a': 1}> range(0, 3) (Markup('<'), 1)")]
    public void Template_Rendered_EqualsJinja(string template, string expected) =>
        Assert.Equal(expected, TemplateSamples.Render(template));
}
