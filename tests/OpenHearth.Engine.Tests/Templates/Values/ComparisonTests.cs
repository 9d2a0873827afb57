using OpenHearth.Engine.Templates;

namespace OpenHearth.Engine.Tests.Templates.Values;

/// <summary>Equality, order and membership. The expectations are what Jinja 2 gives.</summary>
public sealed class ComparisonTests
{
    [Theory]
    [InlineData("{{ 1 == 1.0 }} {{ \"1\" == 1 }} {{ none == false }} {{ true == 1 }} {{ [1, 2] == [1, 2] }} {{ [] == () }} {{ {\"a\": 1} == {\"a\": 1.0} }} {{ nope == nope2 }} {{ nope == none }}", "True False False True True False True True False")]
    [InlineData("{{ 1 < 2 }} {{ \"a\" < \"b\" }} {{ [1, 2] < [1, 3] }} {{ [1, 2] < [1, 2, 3] }} {{ (1, \"a\") < (1, \"b\") }} {{ \"a\" < \"B\" }} {{ \"é\" > \"z\" }} {{ 2 ** 60 < 2.0 ** 60 }} {{ 2 ** 60 + 1 > 2.0 ** 60 }}", "True True True True True False True False True")]
    [InlineData("{{ 1 in [1, 2] }} {{ \"a\" in \"cat\" }} {{ \"k\" in {\"k\": 1} }} {{ 3 not in (1, 2) }} {{ true in [1] }} {{ nope in [1] }} {{ \"a\" in nope }} {{ 2 in range(3) }} {{ 2.5 in range(3) }} {{ \"a\" in d.keys() }} {{ 1 in d.values() }}", "True True True True True False False True False True True")]
    public void Template_Rendered_EqualsJinja(string template, string expected) =>
        Assert.Equal(expected, TemplateSamples.Render(template));

    [Theory]
    [InlineData("{{ {\"a\": 1} < {\"b\": 2} }}", TemplateErrorKind.Type, "'<' not supported between instances of 'dict' and 'dict'")]
    [InlineData("{{ \"a\" < 1 }}", TemplateErrorKind.Type, "'<' not supported between instances of 'str' and 'int'")]
    [InlineData("{{ none < 1 }}", TemplateErrorKind.Type, "'<' not supported between instances of 'NoneType' and 'int'")]
    [InlineData("{{ nope < 1 }}", TemplateErrorKind.Undefined, "'nope' is undefined")]
    [InlineData("{{ 1 in \"a\" }}", TemplateErrorKind.Type, "'in <string>' requires string as left operand, not int")]
    [InlineData("{{ 1 in 5 }}", TemplateErrorKind.Type, "argument of type 'int' is not iterable")]
    [InlineData("{{ [] in {} }}", TemplateErrorKind.Type, "unhashable type: 'list'")]
    public void Template_Wrong_FailsAsJinja(string template, TemplateErrorKind kind, string message)
    {
        var failure = Assert.Throws<TemplateException>(() => TemplateSamples.Render(template));
        Assert.Equal((kind, message), (failure.Kind, failure.Message));
    }
}
