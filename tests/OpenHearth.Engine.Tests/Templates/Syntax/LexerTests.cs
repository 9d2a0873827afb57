using OpenHearth.Engine.Templates;

namespace OpenHearth.Engine.Tests.Templates.Syntax;

/// <summary>White space, strings and numbers as they are read. The expectations are what Jinja 2 gives.</summary>
public sealed class LexerTests
{
    [Theory]
    [InlineData("a\n{% if true %}\nb\n{% endif %}\nc\n", "a\nb\nc")]
    [InlineData("a {%- if true %} b {% endif -%} c", "a b c")]
    [InlineData("\n\n {{- x -}} \n\n y", "Texty")]
    [InlineData(" {%+ if x %}a{% endif %}", " a")]
    [InlineData("a  {% if x +%}\nb{% endif %}", "a  \nb")]
    [InlineData("\t {%- if x %}\n a\n {% endif %}\n b", " a\n b")]
    [InlineData("  {# c #}\n {{ x }}", " Text")]
    [InlineData("a {# c -#}\n\n b", "a b")]
    [InlineData("x{#- tight -#}  y {#-#} z", "xy z")]
    [InlineData("a\r\n{{ x }}\rb\r\n\r\n", "a\nText\nb\n")]
    [InlineData("{% raw %}{{ a }} {% b %}{% endraw %}|", "{{ a }} {% b %}|")]
    [InlineData("{% raw -%}  x  {%- endraw %}|  {%- raw %} y {% endraw -%}  z", "x| y z")]
    [InlineData("\n{% raw %}\n {{ x }}\n  {% endraw %}\n b", "\n\n {{ x }}\n b")]
    [InlineData("{ { x } } {{{\"a\": {\"b\": 1}}.a.b}} }}", "{ { x } } 1 }}")]
    [InlineData("{{ \"a\" \"b\" 'c' }}{{ 'a\\'b' }}{{ \"\\u00e9\\x41\\101\\q\\\\\" }}{{ \"\\ud83d\\ude00\" }}{{ \"a\nb\" }}", "abca'béAA\\q\\\ud83d\ude00a\nb")]
    [InlineData("{{ 1_0.5 }} {{ 1e5 }} {{ 1.5E+3 }} {{ 0x_1F }} {{ 0B1 }} {{ 0o17 }} {{ 00 }} {{ l.0 }} {{ 1_000 }}", "10.5 100000.0 1500.0 31 1 15 0 3 1000")]
    [InlineData("{{-1}} {{+2}} {{ x}} {{x }}", "1 2 Text Text")]
    public void Template_Rendered_EqualsJinja(string template, string expected) =>
        Assert.Equal(expected, TemplateSamples.Render(template));

    [Theory]
    [InlineData("{{ 'abc }}", TemplateErrorKind.Syntax, "unexpected char \"'\" at 3")]
    [InlineData("{{ \"a\" \\ }}", TemplateErrorKind.Syntax, "unexpected char '\\\\' at 7")]
    [InlineData("{{ (1] }}", TemplateErrorKind.Syntax, "unexpected ']', expected ')'")]
    [InlineData("{{ 1) }}", TemplateErrorKind.Syntax, "unexpected ')'")]
    [InlineData("{{ a $ b }}", TemplateErrorKind.Syntax, "unexpected char '$' at 5")]
    [InlineData("{% raw %}x", TemplateErrorKind.Syntax, "Missing end of raw directive")]
    [InlineData("{# x", TemplateErrorKind.Syntax, "Missing end of comment tag")]
    public void Template_Wrong_FailsAsJinja(string template, TemplateErrorKind kind, string message)
    {
        var failure = Assert.Throws<TemplateException>(() => TemplateSamples.Render(template));
        Assert.Equal((kind, message), (failure.Kind, failure.Message));
    }
}
