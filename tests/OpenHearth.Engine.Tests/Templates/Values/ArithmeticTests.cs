using OpenHearth.Engine.Templates;

namespace OpenHearth.Engine.Tests.Templates.Values;

/// <summary>Operators on numbers, texts and lists. The expectations are what Jinja 2 gives.</summary>
public sealed class ArithmeticTests
{
    [Theory]
    [InlineData("{{ 7 // 2 }} {{ -7 // 2 }} {{ 7 / 2 }} {{ 6 / 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ 2 ** 0.5 }} {{ 5 // 0.3 }} {{ 5.5 % 2 }} {{ -7.5 % 2 }} {{ 1 // 0.1 }}", "3 -4 3.5 3.0 1 2 -2 1024 0.5 1.4142135623730951 16.0 1.5 0.5 9.0")]
    [InlineData("{{ 12345678901234567890 * 10 }} {{ 2 ** 100 }} {{ 10 ** 30 // 7 }} {{ -(10 ** 30) // 7 }} {{ 10 ** 30 / 10 ** 29 }} {{ (10 ** 30)|float }} {{ 1e30|int }} {{ (9 ** 9 ** 9)|string|length }}", "123456789012345678900 1267650600228229401496703205376 142857142857142857142857142857 -142857142857142857142857142858 10.0 1e+30 1000000000000000019884624838656 78")]
    [InlineData("{{ true + true }} {{ true * 2.5 }} {{ -true }} {{ 1e308 * 10 }} {{ -1e308 * 10 }} {{ 1e308 * 10 - 1e308 * 10 }} {{ 0.1 + 0.2 }} {{ 3.0 * 2 }}", "2 2.5 -1 inf -inf nan 0.30000000000000004 6.0")]
    [InlineData("{{ \"a\" + \"b\" }} {{ \"ab\" * 2 }} {{ 3 * \"ab\" }} {{ [1] + [2] }} {{ (1,) + (2,) }} {{ [1, 2] * 2 }} {{ -1 * \"a\" }}| {{ x ~ 1 ~ none ~ true ~ 1.0 ~ [1] ~ nope }}", "ab abab ababab [1, 2] (1, 2) [1, 2, 1, 2] | Text1NoneTrue1.0[1]")]
    public void Template_Rendered_EqualsJinja(string template, string expected) =>
        Assert.Equal(expected, TemplateSamples.Render(template));

    [Theory]
    [InlineData("{{ 1 / 0 }}", TemplateErrorKind.Value, "division by zero")]
    [InlineData("{{ 7.0 // 0 }}", TemplateErrorKind.Value, "float floor division by zero")]
    [InlineData("{{ 7 % 0 }}", TemplateErrorKind.Value, "integer modulo by zero")]
    [InlineData("{{ 0 ** -1 }}", TemplateErrorKind.Value, "0.0 cannot be raised to a negative power")]
    [InlineData("{{ 1 + none }}", TemplateErrorKind.Type, "unsupported operand type(s) for +: 'int' and 'NoneType'")]
    [InlineData("{{ x + 1 }}", TemplateErrorKind.Type, "can only concatenate str (not \"int\") to str")]
    [InlineData("{{ [] + \"a\" }}", TemplateErrorKind.Type, "can only concatenate list (not \"str\") to list")]
    [InlineData("{{ x - 1 }}", TemplateErrorKind.Type, "unsupported operand type(s) for -: 'str' and 'int'")]
    [InlineData("{{ nope + 1 }}", TemplateErrorKind.Undefined, "'nope' is undefined")]
    [InlineData("{{ 1 - nope }}", TemplateErrorKind.Undefined, "'nope' is undefined")]
    [InlineData("{{ -x }}", TemplateErrorKind.Type, "bad operand type for unary -: 'str'")]
    public void Template_Wrong_FailsAsJinja(string template, TemplateErrorKind kind, string message)
    {
        var failure = Assert.Throws<TemplateException>(() => TemplateSamples.Render(template));
        Assert.Equal((kind, message), (failure.Kind, failure.Message));
    }
}
