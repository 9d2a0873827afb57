using OpenHearth.Engine.Templates;

namespace OpenHearth.Engine.Tests.Templates.Tests;

/// <summary>Tests. The expectations are what Jinja 2 gives.</summary>
public sealed class TestTableTests
{
    [Theory]
    [InlineData("{{ {} is mapping }} {{ \"s\" is iterable }} {{ 5 is iterable }} {{ (1,) is sequence }} {{ {} is sequence }} {{ 5 is sequence }} {{ \"s\" is string }} {{ 5 is number }} {{ true is number }} {{ true is integer }} {{ 2.0 is float }} {{ true is boolean }} {{ none is none }} {{ 1 is true }} {{ false is false }}", "True True False True True False True True True False True True True False True")]
    [InlineData("{{ 4 is even }} {{ -3 is odd }} {{ 3.0 is odd }} {{ 9 is divisibleby 3 }} {{ 3 is gt 2 }} {{ 3 is lessthan 2 }} {{ 3 is ge 3 }} {{ \"ab\" is lower }} {{ \"\" is lower }} {{ x is sameas x }} {{ 1 is sameas true }} {{ \"upper\" is filter }} {{ \"odd\" is test }} {{ range is callable }} {{ x is not callable }}", "True True True True True False True True False True False True True True True")]
    public void Template_Rendered_EqualsJinja(string template, string expected) =>
        Assert.Equal(expected, TemplateSamples.Render(template));

    [Theory]
    [InlineData("{{ \"a\" is odd }}", TemplateErrorKind.Type, "not all arguments converted during string formatting")]
    public void Template_Wrong_FailsAsJinja(string template, TemplateErrorKind kind, string message)
    {
        var failure = Assert.Throws<TemplateException>(() => TemplateSamples.Render(template));
        Assert.Equal((kind, message), (failure.Kind, failure.Message));
    }
}
