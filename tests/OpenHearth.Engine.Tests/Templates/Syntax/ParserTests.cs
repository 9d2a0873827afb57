using OpenHearth.Engine.Templates;

namespace OpenHearth.Engine.Tests.Templates.Syntax;

/// <summary>Statements and expressions, and what is said where they are wrong. The expectations are what Jinja 2 gives.</summary>
public sealed class ParserTests
{
    [Theory]
    [InlineData("{{ -5|abs }} {{ -(5|abs) }} {{ \"a\" ~ \"b\"|upper }} {{ (\"a\" ~ \"b\")|upper }} {{ 2 * \"3\"|int }} {{ x|upper|lower }} {{ not x is defined }}", "5 -5 aB AB 6 text False")]
    [InlineData("{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 1 == 1.0 == true }} {{ \"a\" in \"abc\" in [\"abc\"] }} {{ not 1 in [1] }} {{ 1 not in [2] and 3 }}", "True False True True False 3")]
    [InlineData("{{ 1 if x else 2 if y else 3 }} {{ 1 if y }} {{ (1 if y) is defined }} {{ 0 or \"\" or \"z\" }} {{ 1 and \"b\" }} {{ \"\" and 1 }}|{{ not not x }}", "1  False z b |True")]
    [InlineData("{{ (1,) }} {{ () }} {{ (1, 2)[0] }} {{ [1, 2,] }} {{ {\"a\": 1,}.a }} {{ [1, [2]][1][0] }} {{ 1, 2 }}", "(1,) () 1 [1, 2] 1 2 (1, 2)")]
    [InlineData("{{ \"abc\"|replace(\"b\", \"x\")|length is eq 3 and true }} {{ 3 is divisibleby 3 }} {{ 3 is not divisibleby(2) }} {{ 1 is in [1] }}", "True True True True")]
    [InlineData("{% set a, (b, c) = 1, (2, 3) %}{{ a ~ b ~ c }}{% set (a, b) = [1, 2] %}{{ a ~ b }}{% set t = 1, 2 %}{{ t }}", "12312(1, 2)")]
    [InlineData("{% if false %}{{ x|nosuch }}{% endif %}ok {{ x|nosuch if false else 1 }}", "ok 1")]
    [InlineData("{% print x, 1 %} {% if true: %}colon{% endif %}", "Text1 colon")]
    public void Template_Rendered_EqualsJinja(string template, string expected) =>
        Assert.Equal(expected, TemplateSamples.Render(template));

    [Theory]
    [InlineData("{{ 1 + 2 * 3 }} {{ (1 + 2) * 3 }} {{ 10 - 3 - 2 }} {{ 2 ** 3 ** 2 }} {{ -2 ** 2 }} {{ 7 // 2 * 2 }} {{ 1 ~ 2 + 3 }}", TemplateErrorKind.Type, "can only concatenate str (not \"int\") to str")]
    [InlineData("{{ }}", TemplateErrorKind.Syntax, "Expected an expression, got 'end of print statement'")]
    [InlineData("{{ 1 + }}", TemplateErrorKind.Syntax, "unexpected 'end of print statement'")]
    [InlineData("{{ (1 }}", TemplateErrorKind.Syntax, "unexpected '}', expected ')'")]
    [InlineData("{{ [x for x in [1]] }}", TemplateErrorKind.Syntax, "expected token ',', got 'for'")]
    [InlineData("{{ x. }}", TemplateErrorKind.Syntax, "expected name or number")]
    [InlineData("{{ x if }}", TemplateErrorKind.Syntax, "unexpected 'end of print statement'")]
    [InlineData("{{ f(a=1, 2) }}", TemplateErrorKind.Syntax, "invalid syntax for function call expression")]
    [InlineData("{{ f(**a, *b) }}", TemplateErrorKind.Syntax, "invalid syntax for function call expression")]
    [InlineData("{{ x is string is string }}", TemplateErrorKind.Syntax, "You cannot chain multiple tests with is")]
    [InlineData("{{ x|nosuch }}", TemplateErrorKind.Syntax, "No filter named 'nosuch'.")]
    [InlineData("{{ x is nosuch }}", TemplateErrorKind.Syntax, "No test named 'nosuch'.")]
    [InlineData("{% if false %}{% for i in l %}{{ x|nosuch }}{% endfor %}{% endif %}", TemplateErrorKind.Syntax, "No filter named 'nosuch'.")]
    [InlineData("{% if %}x{% endif %}", TemplateErrorKind.Syntax, "Expected an expression, got 'end of statement block'")]
    [InlineData("{% if x %}a", TemplateErrorKind.Syntax, "Unexpected end of template. Jinja was looking for the following tags: 'elif' or 'else' or 'endif'. The innermost block that needs to be closed is 'if'.")]
    [InlineData("{% endif %}", TemplateErrorKind.Syntax, "Encountered unknown tag 'endif'.")]
    [InlineData("{% if x %}{% endfor %}{% endif %}", TemplateErrorKind.Syntax, "Encountered unknown tag 'endfor'. Jinja was looking for the following tags: 'elif' or 'else' or 'endif'. The innermost block that needs to be closed is 'if'.")]
    [InlineData("{% for x in [1] %}{% if x %}{% endfor %}", TemplateErrorKind.Syntax, "Encountered unknown tag 'endfor'. You probably made a nesting mistake. Jinja is expecting this tag, but currently looking for 'elif' or 'else' or 'endif'. The innermost block that needs to be closed is 'if'.")]
    [InlineData("{% for x %}{% endfor %}", TemplateErrorKind.Syntax, "expected token 'in', got 'end of statement block'")]
    [InlineData("{% set 1 = 2 %}", TemplateErrorKind.Syntax, "can't assign to 'const'")]
    [InlineData("{% set none = 2 %}", TemplateErrorKind.Syntax, "can't assign to 'const'")]
    [InlineData("{% nope %}", TemplateErrorKind.Syntax, "Encountered unknown tag 'nope'.")]
    [InlineData("{% do [] %}", TemplateErrorKind.Syntax, "Encountered unknown tag 'do'.")]
    [InlineData("{% 1 %}", TemplateErrorKind.Syntax, "tag name expected")]
    [InlineData("{% macro m(a=1, b) %}{% endmacro %}", TemplateErrorKind.Syntax, "non-default argument follows default argument")]
    [InlineData("{% call x %}{% endcall %}", TemplateErrorKind.Syntax, "expected call")]
    [InlineData("{% break %}", TemplateErrorKind.Syntax, "'break' outside loop")]
    [InlineData("{% for i in l %}{% macro q() %}{% break %}{% endmacro %}{% endfor %}", TemplateErrorKind.Syntax, "'break' outside loop")]
    [InlineData("{% block a-b %}{% endblock %}", TemplateErrorKind.Syntax, "Block names in Jinja have to be valid Python identifiers and may not contain hyphens, use an underscore instead.")]
    [InlineData("{% include \"x\" %}", TemplateErrorKind.Type, "no loader for this environment specified")]
    [InlineData("{% if true %}{{ x|nosuch }}{% endif %}", TemplateErrorKind.Value, "No filter named 'nosuch' found.")]
    public void Template_Wrong_FailsAsJinja(string template, TemplateErrorKind kind, string message)
    {
        var failure = Assert.Throws<TemplateException>(() => TemplateSamples.Render(template));
        Assert.Equal((kind, message), (failure.Kind, failure.Message));
    }
}
