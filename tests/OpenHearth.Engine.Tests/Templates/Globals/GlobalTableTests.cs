using OpenHearth.Engine.Templates;

namespace OpenHearth.Engine.Tests.Templates.Globals;

/// <summary>Global functions. The expectations are what Jinja 2 gives.</summary>
public sealed class GlobalTableTests
{
    [Theory]
    [InlineData("{{ range(1, 4)|list }} {{ range(10, 0, -3)|list }} {{ range(0)|list }} {{ dict(a=1, b=2) }} {{ dict({\"x\": 1}, y=2) }} {{ dict([(\"a\", 1)]) }} {% set ns = namespace(d, c=3) %}{{ ns.a }}{{ ns.b }}{{ ns.c }}", "[1, 2, 3] [10, 7, 4, 1] [] {'a': 1, 'b': 2} {'x': 1, 'y': 2} {'a': 1} 1two3")]
    [InlineData("{% set c = cycler(\"a\", \"b\") %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.reset() }}{% set j = joiner(\"|\") %}{{ j() }}a{{ j() }}b{{ j() }} {{ self }}", "ababNonea|b| <TemplateReference None>")]
    public void Template_Rendered_EqualsJinja(string template, string expected) =>
        Assert.Equal(expected, TemplateSamples.Render(template));

    [Theory]
    [InlineData("{{ raise_exception(\"no \" ~ x) }}", TemplateErrorKind.Raised, "no Text")]
    [InlineData("{{ range(1, 2, 0) }}", TemplateErrorKind.Value, "range() arg 3 must not be zero")]
    [InlineData("{{ range(200000) }}", TemplateErrorKind.Value, "Range too big. The sandbox blocks ranges larger than MAX_RANGE (100000).")]
    [InlineData("{{ range(\"a\") }}", TemplateErrorKind.Type, "'str' object cannot be interpreted as an integer")]
    [InlineData("{{ dict(1) }}", TemplateErrorKind.Type, "'int' object is not iterable")]
    public void Template_Wrong_FailsAsJinja(string template, TemplateErrorKind kind, string message)
    {
        var failure = Assert.Throws<TemplateException>(() => TemplateSamples.Render(template));
        Assert.Equal((kind, message), (failure.Kind, failure.Message));
    }
}
