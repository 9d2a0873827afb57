using OpenHearth.Engine.Templates;

namespace OpenHearth.Engine.Tests.Templates.Syntax;

/// <summary>Loops: their variable, filters, recursion, break and continue. The expectations are what Jinja 2 gives.</summary>
public sealed class ControlStatementsTests
{
    [Theory]
    [InlineData("{% for m in messages %}{{ loop.index }}/{{ loop.length }} {{ loop.index0 }} {{ loop.revindex }} {{ loop.revindex0 }} {{ loop.first }} {{ loop.last }} {{ m.role }};{% endfor %}", "1/2 0 2 1 True False user;2/2 1 1 0 False True assistant;")]
    [InlineData("{% for i in [] %}x{% else %}none{% endfor %}{% for i in nope %}x{% else %}none{% endfor %}", "nonenone")]
    [InlineData("{% for i in range(5) if i is odd %}{{ loop.index }}:{{ i }} {% endfor %}", "1:1 2:3 ")]
    [InlineData("{% for a, (b, c) in [(1, (2, 3)), (4, (5, 6))] %}{{ a }}{{ b }}{{ c }} {% endfor %}{% for a, b in [\"xy\"] %}{{ b }}{{ a }}{% endfor %}", "123 456 yx")]
    [InlineData("{% for i in [1,1,2,1] %}{{ loop.changed(i) }} {{ loop.cycle(\"a\", \"b\") }} {% endfor %}", "True a False b True a True b ")]
    [InlineData("{% for i in l %}{{ loop.previtem }}<{{ i }}>{{ loop.nextitem }} {% endfor %}{{ loop is defined }}", "<3>1 3<1>2 1<2> False")]
    [InlineData("{% for n in tree recursive %}{{ loop.index }}{{ n.v }}{% if n.k %}({{ loop(n.k) }}){% endif %}{{ loop.depth }}{% endfor %}", "1a(1b22c(1d3)2)1")]
    [InlineData("{% for i in range(10) %}{% if i == 2 %}{% continue %}{% endif %}{% if i == 5 %}{% break %}{% endif %}{{ i }}{% endfor %}", "0134")]
    [InlineData("{% for i in l %}{% continue %}{% else %}no turn ended{% endfor %}", "no turn ended")]
    [InlineData("{% for i in l %}{% for j in [] %}{% else %}{% continue %}{% endfor %}x{% endfor %}|", "|")]
    [InlineData("{% for i in l %}{% with z = i %}{{ z }}{% if z == 1 %}{% break %}{% endif %}{% endwith %}{% endfor %}", "31")]
    [InlineData("{% for i in l %}{% filter upper %}a{% if i == 1 %}{% continue %}{% endif %}b{% endfilter %}{% endfor %}", "ABAB")]
    [InlineData("{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{% for k in d %}{{ k }}{% endfor %}{% for c in s %}[{{ c }}]{% endfor %}", "a=1;b=two;ab[h][é][é][😀][x]")]
    [InlineData("{% set ns = namespace(n=0) %}{% for m in messages if ns.n < 1 %}{% set ns.n = ns.n + 1 %}{{ m.content }}{% endfor %}{{ ns.n }}", "Hi1")]
    [InlineData("{% for i in l|map(\"string\") %}{{ i }}{{ loop.last }}{{ loop.length }}{% endfor %}", "3False31False32True3")]
    [InlineData("{% for i in l %}{% set o = loop %}{% for j in \"ab\" %}{{ o.index }}{{ loop.index }} {% endfor %}{% endfor %}", "11 12 21 22 31 32 ")]
    public void Template_Rendered_EqualsJinja(string template, string expected) =>
        Assert.Equal(expected, TemplateSamples.Render(template));

    [Theory]
    [InlineData("{% for i in 5 %}{% endfor %}", TemplateErrorKind.Type, "'int' object is not iterable")]
    [InlineData("{% for i in none %}{% endfor %}", TemplateErrorKind.Type, "'NoneType' object is not iterable")]
    [InlineData("{% for a, b in [(1, 2, 3)] %}{% endfor %}", TemplateErrorKind.Value, "too many values to unpack (expected 2)")]
    [InlineData("{% for a, b in [(1,)] %}{% endfor %}", TemplateErrorKind.Value, "not enough values to unpack (expected 2, got 1)")]
    [InlineData("{% for i in l %}{{ loop(l) }}{% endfor %}", TemplateErrorKind.Type, "The loop must have the 'recursive' marker to be called recursively.")]
    [InlineData("{% for i in l %}{{ loop.nope.x }}{% endfor %}", TemplateErrorKind.Undefined, "'jinja2.runtime.LoopContext object' has no attribute 'nope'")]
    public void Template_Wrong_FailsAsJinja(string template, TemplateErrorKind kind, string message)
    {
        var failure = Assert.Throws<TemplateException>(() => TemplateSamples.Render(template));
        Assert.Equal((kind, message), (failure.Kind, failure.Message));
    }
}
