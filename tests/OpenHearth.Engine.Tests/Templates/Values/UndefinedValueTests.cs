using OpenHearth.Engine.Templates;

namespace OpenHearth.Engine.Tests.Templates.Values;

/// <summary>What isn't there, and what may not be reached. The expectations are what Jinja 2 gives.</summary>
public sealed class UndefinedValueTests
{
    [Theory]
    [InlineData("[{{ nope }}] {{ nope is defined }} {{ nope|default(\"d\") }} {{ none|default(\"d\") }} {{ \"\"|default(\"d\", true) }} {{ not nope }} {{ nope|length }} {{ nope|list }} {{ nope|upper }}| {{ nope|first }}| {{ nope|last }}| {{ [nope, 1] }} {{ nope ~ \"x\" }}", "[] False d None d True 0 [] | | | [Undefined, 1] x")]
    [InlineData("{{ x.__class__ }}|{{ x[\"__class__\"] }}|{{ x|attr(\"__class__\") }}|{{ d.__len__ }}|{{ l.append is defined }}|{{ [\"\"]|map(attribute=\"__class__\")|list }}", "||||False|[Undefined]")]
    [InlineData("{{ \"{0.__class__}\".format(x).y }}", "")]
    public void Template_Rendered_EqualsJinja(string template, string expected) =>
        Assert.Equal(expected, TemplateSamples.Render(template));

    [Theory]
    [InlineData("{{ nope.x }}", TemplateErrorKind.Undefined, "'nope' is undefined")]
    [InlineData("{{ nope() }}", TemplateErrorKind.Undefined, "'nope' is undefined")]
    [InlineData("{{ d.nope() }}", TemplateErrorKind.Undefined, "'dict object' has no attribute 'nope'")]
    [InlineData("{{ nope|tojson }}", TemplateErrorKind.Type, "Object of type Undefined is not JSON serializable")]
    [InlineData("{{ nope|int }}", TemplateErrorKind.Undefined, "'nope' is undefined")]
    [InlineData("{{ none.x.y }}", TemplateErrorKind.Undefined, "'None' has no attribute 'x'")]
    [InlineData("{{ x.__class__.mro }}", TemplateErrorKind.Security, "access to attribute '__class__' of 'str' object is unsafe.")]
    [InlineData("{{ l.append(4) }}", TemplateErrorKind.Security, "access to attribute 'append' of 'list' object is unsafe.")]
    [InlineData("{{ d.update({\"b\": 2}) }}", TemplateErrorKind.Security, "access to attribute 'update' of 'dict' object is unsafe.")]
    [InlineData("{{ self._TemplateReference__context.environment }}", TemplateErrorKind.Security, "access to attribute '_TemplateReference__context' of 'TemplateReference' object is unsafe.")]
    [InlineData("{{ 5() }}", TemplateErrorKind.Type, "'int' object is not callable")]
    public void Template_Wrong_FailsAsJinja(string template, TemplateErrorKind kind, string message)
    {
        var failure = Assert.Throws<TemplateException>(() => TemplateSamples.Render(template));
        Assert.Equal((kind, message), (failure.Kind, failure.Message));
    }
}
