using OpenHearth.Engine.Templates;

namespace OpenHearth.Engine.Tests.Templates.Filters;

/// <summary>Filters that pick and map. The expectations are what Jinja 2 gives.</summary>
public sealed class SelectionFiltersTests
{
    [Theory]
    [InlineData("{{ p|selectattr(\"vip\")|map(attribute=\"name\")|list }} {{ p|rejectattr(\"vip\")|list|length }} {{ p|selectattr(\"age\", \"equalto\", 30)|map(attribute=\"name\")|join(\",\") }} {{ p|selectattr(\"age\", \">\", 30)|map(attribute=\"name\")|list }} {{ p|selectattr(\"vip\", \"defined\")|list|length }} {{ p|rejectattr(\"vip\", \"undefined\")|list|length }}", "['cy'] 2 bob,cy ['Ada'] 1 1")]
    [InlineData("{{ [1, 2, 3]|select(\"odd\")|list }} {{ [0, 1, \"\", \"a\", none]|select|list }} {{ [0, 1, \"\", \"a\"]|reject|list }} {{ [1, 5, 9]|select(\"greaterthan\", 4)|list }} {{ [\"a\", 1, none]|reject(\"string\")|list }} {{ [\"a\", \"bb\"]|select(\"in\", \"abc\")|list }}", "[1, 3] [1, 'a'] [0, ''] [5, 9] [1, None] ['a']")]
    [InlineData("{{ p|map(attribute=\"vip\", default=\"no\")|list }} {{ [\"a\", \"b\"]|map(\"upper\")|join }} {{ [1, 2]|map(\"string\")|list }} {{ [\"a,b\"]|map(\"replace\", \",\", \";\")|list }} {{ p|map(\"length\")|list }} {{ tree|map(attribute=\"k.0.v\")|list }}", "['no', 'no', True] AB ['1', '2'] ['a;b'] [2, 2, 3] ['b']")]
    [InlineData("{% set g = l|map(\"string\") %}{{ g|list }}{{ g|list }}{% if l|select %}true{% endif %}", "['3', '1', '2'][]true")]
    public void Template_Rendered_EqualsJinja(string template, string expected) =>
        Assert.Equal(expected, TemplateSamples.Render(template));

    [Theory]
    [InlineData("{{ l|map(\"nosuch\")|list }}", TemplateErrorKind.Value, "No filter named 'nosuch'.")]
    [InlineData("{{ l|select(\"nosuch\")|list }}", TemplateErrorKind.Value, "No test named 'nosuch'.")]
    [InlineData("{{ l|map()|list }}", TemplateErrorKind.Type, "map requires a filter argument")]
    public void Template_Wrong_FailsAsJinja(string template, TemplateErrorKind kind, string message)
    {
        var failure = Assert.Throws<TemplateException>(() => TemplateSamples.Render(template));
        Assert.Equal((kind, message), (failure.Kind, failure.Message));
    }
}
