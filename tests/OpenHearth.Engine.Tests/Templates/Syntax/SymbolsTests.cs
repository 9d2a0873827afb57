namespace OpenHearth.Engine.Tests.Templates.Syntax;

/// <summary>Which block a name belongs to, and which names a block hides before it sets them. The expectations are what Jinja 2 gives.</summary>
public sealed class SymbolsTests
{
    [Theory]
    [InlineData("{% if true %}{% set z = 5 %}{% endif %}{{ z }}{% for i in l %}{% set z = i %}{% endfor %}{{ z }}", "55")]
    [InlineData("{% for i in l %}{% if loop.first %}{% set y = 5 %}{% endif %}{{ y }}|{% endfor %}", "5|||")]
    [InlineData("{% with a = x %}{% set x = 2 %}{{ a }}{{ x }}{% endwith %}{{ x }}{% with a = 1, b = a %}{{ b }}{% endwith %}", "Text2Text")]
    [InlineData("{% macro m() %}{{ x }}{{ late }}{% endmacro %}{{ m() }}{% set late = 1 %}{{ m() }}", "TextText1")]
    [InlineData("{% filter upper %}{{ x }}{% endfilter %}{% set x = 1 %}{{ x }}", "1")]
    [InlineData("{% if l %}{% filter upper %}{{ x }}{% endfilter %}{% set x = 1 %}{% endif %}{{ x }}", "TEXT1")]
    [InlineData("{{ x }}{% filter upper %}{{ x }}{% endfilter %}{% set x = 1 %}{{ x }}", "TextTEXT1")]
    [InlineData("{% for i in l %}{% filter upper %}{{ x }}{% endfilter %}{% set x = i %}{{ x }}{% endfor %}", "312")]
    [InlineData("{% set x %}[{{ x }}]{% endset %}{{ x }}", "[]")]
    [InlineData("{% macro outer() %}{% macro inner() %}{{ x }}{% endmacro %}{{ inner() }}{% endmacro %}{{ outer() }}{{ inner is defined }}", "TextFalse")]
    [InlineData("{% for i in l %}{% macro m() %}{{ i }}{% endmacro %}{{ m() }}{% endfor %}", "312")]
    [InlineData("{% set ns = namespace(n=0, s=\"\") %}{% for i in l %}{% set ns.n = ns.n + i %}{% set ns.s = ns.s ~ i %}{% endfor %}{{ ns.n }} {{ ns.s }} {{ ns.t is defined }}", "6 312 False")]
    [InlineData("{% set block %}in {{ 1 + 1 }}{% endset %}[{{ block }}]{% set up | upper | replace(\"A\", \"B\") %}aac{% endset %}{{ up }}", "[in 2]BBC")]
    [InlineData("{% block b %}in {{ x }}{% endblock %}|{{ self.b() }}", "in Text|in Text")]
    public void Template_Rendered_EqualsJinja(string template, string expected) =>
        Assert.Equal(expected, TemplateSamples.Render(template));
}
