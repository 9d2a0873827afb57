using OpenHearth.Engine.Templates;

namespace OpenHearth.Engine.Tests.Templates.Values;

/// <summary>Indices and slices, counted in code points. The expectations are what Jinja 2 gives.</summary>
public sealed class SequenceTests
{
    [Theory]
    [InlineData("{{ l[0] }} {{ l[-1] }} {{ l[9] }}| {{ l[1:] }} {{ l[-2:] }} {{ l[:-2] }} {{ l[::2] }} {{ l[::-1] }} {{ l[2:0:-1] }} {{ l[10:] }} {{ l[-100:2] }} {{ l[none:2] }}", "3 2 | [1, 2] [1, 2] [3] [3, 2] [2, 1, 3] [2, 1] [] [3, 1] [3, 1]")]
    [InlineData("{{ s[3] }} {{ s[::-1] }} {{ s|length }} {{ s[1:4] }} {{ s[3:] }} {{ s[::2] }} {{ s[-2] }} {{ s|list }} {{ s.find(\"x\") }} {{ s.center(9, \"é\") }} {{ s|first }}{{ s|last }}", "😀 x😀ééh 5 éé😀 😀x héx 😀 ['h', 'é', 'é', '😀', 'x'] 4 ééhéé😀xéé hx")]
    [InlineData("{{ (1, 2, 3)[1:] }} {{ range(5)[1:3] }} {{ range(5)[-1] }} {{ range(10)[8:2:-2] }} {{ range(4)[1:5:2] }}", "(2, 3) range(1, 3) 4 range(8, 2, -2) range(1, 4, 2)")]
    [InlineData("{{ l.0 }} {{ d.a }} {{ d[\"a\"] }} {{ d.0 }}| {{ l[\"0\"] }}| {{ x[\"upper\"]() }} {{ x.nope }}|", "3 1 1 | | TEXT |")]
    public void Template_Rendered_EqualsJinja(string template, string expected) =>
        Assert.Equal(expected, TemplateSamples.Render(template));

    [Theory]
    [InlineData("{{ l[::0] }}", TemplateErrorKind.Value, "slice step cannot be zero")]
    [InlineData("{{ l[\"a\":] }}", TemplateErrorKind.Type, "slice indices must be integers or None or have an __index__ method")]
    [InlineData("{{ none_[1:] }}", TemplateErrorKind.Type, "'NoneType' object is not subscriptable")]
    [InlineData("{{ nope[0] }}", TemplateErrorKind.Undefined, "'nope' is undefined")]
    [InlineData("{{ nope[1:] }}", TemplateErrorKind.Undefined, "'nope' is undefined")]
    [InlineData("{{ d.nope.deeper }}", TemplateErrorKind.Undefined, "'dict object' has no attribute 'nope'")]
    [InlineData("{{ l[5].x }}", TemplateErrorKind.Undefined, "list object has no element 5")]
    public void Template_Wrong_FailsAsJinja(string template, TemplateErrorKind kind, string message)
    {
        var failure = Assert.Throws<TemplateException>(() => TemplateSamples.Render(template));
        Assert.Equal((kind, message), (failure.Kind, failure.Message));
    }
}
