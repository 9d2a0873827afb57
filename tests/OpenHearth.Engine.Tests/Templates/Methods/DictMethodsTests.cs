using OpenHearth.Engine.Templates;

namespace OpenHearth.Engine.Tests.Templates.Methods;

/// <summary>Methods of dictionaries, lists and numbers. The expectations are what Jinja 2 gives.</summary>
public sealed class DictMethodsTests
{
    [Theory]
    [InlineData("{{ d.get(\"z\") }} {{ d.get(\"z\", 9) }} {{ d.get(\"a\") }} {{ d.keys()|list }} {{ d.values()|list }} {{ d.items()|list }} {{ d.items()|length }} {{ {\"items\": 1}[\"items\"] }} {{ {\"items\": 1}.items() }} {{ l.count(1) }} {{ l.index(2) }} {{ (5).bit_length() }} {{ (2.0).is_integer() }} {{ true.real }} {{ range(5).index(3) }}", "None 9 1 ['a', 'b'] [1, 'two'] [('a', 1), ('b', 'two')] 2 1 dict_items([('items', 1)]) 1 2 3 True 1 3")]
    public void Template_Rendered_EqualsJinja(string template, string expected) =>
        Assert.Equal(expected, TemplateSamples.Render(template));

    [Theory]
    [InlineData("{{ d.get([]) }}", TemplateErrorKind.Type, "unhashable type: 'list'")]
    [InlineData("{{ l.index(9) }}", TemplateErrorKind.Value, "9 is not in list")]
    [InlineData("{{ l.sort() }}", TemplateErrorKind.Security, "access to attribute 'sort' of 'list' object is unsafe.")]
    public void Template_Wrong_FailsAsJinja(string template, TemplateErrorKind kind, string message)
    {
        var failure = Assert.Throws<TemplateException>(() => TemplateSamples.Render(template));
        Assert.Equal((kind, message), (failure.Kind, failure.Message));
    }
}
