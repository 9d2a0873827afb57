using OpenHearth.Engine.Templates;

namespace OpenHearth.Engine.Tests.Templates.Syntax;

/// <summary>Macros and calls with a block. The expectations are what Jinja 2 gives.</summary>
public sealed class MacroStatementsTests
{
    [Theory]
    [InlineData("{% macro m(x, y=2) %}{{ x }}-{{ y }}-{{ varargs }}-{{ kwargs }}{% endmacro %}{{ m(1) }} {{ m(1, 3, 4, z=5) }} {{ m(*[7, 8], **{\"q\": 9}) }}", "1-2-()-{} 1-3-(4,)-{'z': 5} 7-8-()-{'q': 9}")]
    [InlineData("{% macro m(a, b=a) %}<{{ a }}{{ b }}>{% endmacro %}{{ m(\"a\") }}{{ m(b=\"b\") }}{{ m(none, none) }}", "<aa><b><NoneNone>")]
    [InlineData("{% macro f(n) %}{{ n }}{% if n > 0 %} {{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(4) }}", "4 3 2 1 0")]
    [InlineData("{% macro m(a, b=\"d\") %}{% endmacro %}{{ m.name }} {{ m.arguments }} {{ m.catch_kwargs }} {{ m.catch_varargs }} {{ m.caller }} {{ m }}", "m ('a', 'b') False False False <Macro 'm'>")]
    [InlineData("{% macro li(t) %}<{{ caller(t, 2) }}>{% endmacro %}{% call(a, b=3) li(\"q\") %}{{ a }}-{{ b }}{% endcall %}", "<q-2>")]
    [InlineData("{% macro li() %}<{{ caller() if caller else \"no\" }}>{% endmacro %}{{ li() }}{% call li() %}{{ x }}{% endcall %}", "<no><Text>")]
    public void Template_Rendered_EqualsJinja(string template, string expected) =>
        Assert.Equal(expected, TemplateSamples.Render(template));

    [Theory]
    [InlineData("{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", TemplateErrorKind.Type, "macro 'm' takes not more than 1 argument(s)")]
    [InlineData("{% macro m(a) %}{% endmacro %}{{ m(b=2) }}", TemplateErrorKind.Type, "macro 'm' takes no keyword argument 'b'")]
    [InlineData("{% macro m(a) %}{% endmacro %}{{ m(1, a=2) }}", TemplateErrorKind.Type, "macro 'm' takes no keyword argument 'a'")]
    [InlineData("{% macro m() %}{% endmacro %}{% call m() %}x{% endcall %}", TemplateErrorKind.Type, "macro 'm' was invoked with two values for the special caller argument. This is most likely a bug.")]
    [InlineData("{% call nope() %}x{% endcall %}", TemplateErrorKind.Undefined, "'nope' is undefined")]
    public void Template_Wrong_FailsAsJinja(string template, TemplateErrorKind kind, string message)
    {
        var failure = Assert.Throws<TemplateException>(() => TemplateSamples.Render(template));
        Assert.Equal((kind, message), (failure.Kind, failure.Message));
    }
}
