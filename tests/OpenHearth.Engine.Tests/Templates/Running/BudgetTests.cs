using System.Diagnostics;
using System.Text.Json.Nodes;
using OpenHearth.Engine.Templates;

namespace OpenHearth.Engine.Tests.Templates.Running;

/// <summary>Templates that want more than they may have end soon, with little memory, as a <see cref="TemplateException"/>.</summary>
public sealed class BudgetTests
{
    private const long MaxAllocation = 64L << 20;

    [Fact]
    public void Hostile_OfReferenceData_EndsWithinBounds()
    {
        var compared = 0;
        foreach (var hostile in TemplateFixtures.Json("fixtures", "chat_templates_expected", "jinja_hostile.json.gz").EnumerateArray())
        {
            compared++;
            var variables = JsonNode.Parse(hostile.GetProperty("variables").GetRawText())!.AsObject();
            var text = Bounded(hostile.GetProperty("template").GetString()!, variables, out _);
            if (text is not null)
                Assert.Equal(hostile.GetProperty("reference").GetProperty("text").GetString(), text);
        }
        Assert.Equal(31, compared);
    }

    [Theory]
    [InlineData("{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}")]
    [InlineData("{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}")]
    [InlineData("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}")]
    [InlineData("{% for n in [1] recursive %}{{ loop([1]) }}{% endfor %}")]
    [InlineData("{% macro a() %}{{ caller() }}{% call a() %}{% endcall %}{% endmacro %}{% call a() %}{% endcall %}")]
    [InlineData("{% set ns = namespace(s='a') %}{% for i in range(1000) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}")]
    [InlineData("{% set ns = namespace(s='a') %}{% for i in range(100000) %}{% set ns.s = ns.s ~ 'aaaaaaaaaaaaaaaaaaaa' %}{% endfor %}")]
    [InlineData("{% set ns = namespace(l=[1]) %}{% for i in range(1000) %}{% set ns.l = ns.l + ns.l %}{% endfor %}")]
    [InlineData("{% set ns = namespace(l=[]) %}{% for i in range(1000) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}")]
    [InlineData("{% set ns = namespace(l=[1]) %}{% for i in range(150) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l }}")]
    [InlineData("{% set ns = namespace(l=[1], m=[1]) %}{% for i in range(150) %}{% set ns.l = [ns.l, ns.l] %}{% set ns.m = [ns.m, ns.m] %}{% endfor %}{{ ns.l == ns.m }}")]
    [InlineData("{% set ns = namespace(l=[1], m=[1]) %}{% for i in range(150) %}{% set ns.l = [ns.l, ns.l] %}{% set ns.m = [ns.m, ns.m] %}{% endfor %}{{ ns.l < ns.m }}")]
    [InlineData("{% set ns = namespace(l=(1,)) %}{% for i in range(150) %}{% set ns.l = (ns.l, ns.l) %}{% endfor %}{{ {ns.l: 1}|tojson }}")]
    [InlineData("{% set ns = namespace(l=[1]) %}{% for i in range(150) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l|tojson }}")]
    [InlineData("{% set ns = namespace() %}{% set ns.me = ns %}{{ ns }}")]
    [InlineData("{{ 'a' * 10**10 }}")]
    [InlineData("{{ ([0] * 10**10)|length }}")]
    [InlineData("{{ ('ab' * 1000000)|replace('a', 'a' * 1000) }}")]
    [InlineData("{{ 'x'.ljust(10**9) }}")]
    [InlineData("{{ 'x'.zfill(10**9) }}")]
    [InlineData("{{ '\t'.expandtabs(10**9) }}")]
    [InlineData("{{ 'x'|center(10**9) }}")]
    [InlineData("{{ 'a\nb'|indent(10**9) }}")]
    [InlineData("{{ [1]|tojson(indent=10**9) }}")]
    [InlineData("{{ [1]|batch(10**9, 'x')|list }}")]
    [InlineData("{{ [1]|slice(10**9)|list }}")]
    [InlineData("{{ '%999999999d' % 1 }}")]
    [InlineData("{{ '%.999999999d' % 1 }}")]
    [InlineData("{{ '%.999999999f' % 1 }}")]
    [InlineData("{{ '%*d' % (10**9, 1) }}")]
    [InlineData("{{ '{:999999999}'.format(1) }}")]
    [InlineData("{{ '{:.999999999f}'.format(1.5) }}")]
    [InlineData("{{ '{:{w}}'.format(1, w=10**9) }}")]
    [InlineData("{{ (10**4000) ** 4000 }}")]
    [InlineData("{% set ns = namespace(n=3) %}{% for i in range(100) %}{% set ns.n = ns.n * ns.n %}{% endfor %}{{ ns.n }}")]
    [InlineData("{{ ('a ' * 1000000).split() | length }}")]
    [InlineData("{{ (',' * 2000000).split(',')|map('upper')|join('x')|length }}")]
    [InlineData("{{ ('a' * 1000000)|list|sort|length }}")]
    [InlineData("{% for i in range(100000) %}{% if 'a' * 100000 + 'b' in 'a' * 1000000 %}{% endif %}{% endfor %}")]
    [InlineData("{% set s = 'a' * 1000000 %}{% for i in range(100000) %}{{ s.strip('b')|length }}{{ s.find('ab') }}{% endfor %}")]
    [InlineData("{% set s = '😀' * 100000 %}{% for i in range(100000) %}{{ s[99999] }}{% endfor %}")]
    [InlineData("{% set s = 'é' * 1000000 %}{% for i in range(100000) %}{{ s.isalpha() }}{% endfor %}")]
    [InlineData("{{ ('x ' * 100000)|wordwrap(1)|length }}{{ ('x' * 1000000)|wordwrap(1)|length }}")]
    [InlineData("{% set ns = namespace(g=[1]) %}{% for i in range(100000) %}{% set ns.g = ns.g|map('string') %}{% endfor %}{{ ns.g|list }}")]
    [InlineData("{% set ns = namespace(g=[1]) %}{% for i in range(100000) %}{% set ns.g = ns.g|select %}{% endfor %}{% for i in ns.g %}{% endfor %}")]
    [InlineData("{% set ns = namespace(g=[1]) %}{% for i in range(100000) %}{% set ns.g = ns.g|unique|batch(1) %}{% endfor %}{{ 1 in ns.g }}")]
    [InlineData("{% set h = 'a' * 1000000 %}{% set n = 'a' * 250000 + 'b' + 'a' * 250000 %}{% for i in range(1000) %}{{ n in h }}{% endfor %}")]
    [InlineData("{% set h = 'a' * 1000000 %}{% set n = 'a' * 15 + 'b' + 'a' * 15 %}{% for i in range(1000) %}{{ h.find(n) }}{{ h.split(n)|length }}{{ h|replace(n, '')|length }}{% endfor %}")]
    [InlineData("{% set c = 'a' * 1000000 + 'b' %}{% for i in range(100000) %}{{ 'b'.strip(c) }}{{ ('b' * 1000000).strip(c) }}{% endfor %}")]
    [InlineData("{% set n = 10 ** 4000 %}{% for i in range(100000) %}{{ '{:,}'.format(n)|length }}{{ n|string|length }}{{ (n + n) % 7 }}{{ ('9' * 4000)|int % 7 }}{{ '%d' % n|length }}{% endfor %}")]
    [InlineData("{% for i in range(100000) %}{{ ('%.1900f' % 1.5)|length }}{{ 1.5|round(300) }}{% endfor %}")]
    [InlineData("{{ ('{0}' * 1000000).format('') }}")]
    [InlineData("{{ [1]|map(attribute='a.' * 1000000)|list }}{{ [1]|sort(attribute='a,' * 1000000) }}")]
    [InlineData("{{ ('a ' * 1000000)|striptags|length }}")]
    [InlineData("{{ ('(' * 100000)|title|urlencode|forceescape|striptags|length }}{% for i in range(100000) %}{{ 'a'|urlencode }}{% endfor %}")]
    [InlineData("{% for i in range(100000) %}{% for j in [1,2,3]|sort|map('string')|list %}{{ j|indent|trim|upper|title }}{% endfor %}{% endfor %}")]
    public void Hostile_OfOurOwn_EndsWithinBounds(string template) => Bounded(template, [], out _);

    [Theory]
    [InlineData("(", ")")]
    [InlineData("[", "]")]
    [InlineData("{1:", "}")]
    [InlineData("-", "")]
    [InlineData("not ", "")]
    [InlineData("1 + ", "")]
    [InlineData("1 ~ ", "")]
    [InlineData("1 ** ", "")]
    [InlineData("1 and ", "")]
    [InlineData("1 < ", "")]
    [InlineData("1 if 1 else ", "")]
    [InlineData("", "|string")]
    [InlineData("", " is string == 1")]
    [InlineData("", ".a")]
    [InlineData("", "[0]")]
    [InlineData("", "(1)")]
    [InlineData("range(", ")")]
    [InlineData("x is eq ", "")]
    public void Expression_NestedDeep_EndsWithinBounds(string before, string after) =>
        Bounded($"{{{{ {Repeat(before, 20_000)}1{Repeat(after, 20_000)} }}}}", [], out _);

    [Theory]
    [InlineData("{{1}}")]
    [InlineData("{{x.y(1)}}")]
    [InlineData("{% set a = 1 %}")]
    [InlineData("{% if 1 %}")]
    [InlineData("{% for i in [1] %}")]
    [InlineData("{% macro m() %}")]
    [InlineData("{% set x %}")]
    [InlineData("{% if 1 %}{% elif 1 %}")]
    [InlineData("{% raw %}")]
    [InlineData("{#")]
    [InlineData("{{")]
    [InlineData("{% set (")]
    [InlineData("{% filter upper|")]
    public void Tag_RepeatedOften_EndsWithinBounds(string tag) =>
        Bounded(Repeat(tag, 250_000 / tag.Length), [], out _);

    [Fact]
    public void Parse_TemplateOfManyMegabytes_Fails() =>
        Assert.Equal(TemplateErrorKind.Limit, Assert.Throws<TemplateException>(() => ChatTemplate.Parse(new string('x', 2 << 20))).Kind);

    [Fact]
    public void Render_ManyNamesInOneScope_StaysFast()
    {
        var template = string.Concat(Enumerable.Range(0, 5000).Select(i => $"{{% set a{i} = 1 %}}")) + "{% for i in range(100000) %}{{ nope }}{% endfor %}";
        Bounded(template, [], out _);
    }

    [Theory]
    [InlineData("{% for i in range(300) %}{% endfor %}", "steps")]
    [InlineData("{{ 'a' * 3000 }}", "memory")]
    [InlineData("{% for i in range(10) %}0123456789{% endfor %}", "characters")]
    [InlineData("{{ ((((((((((((1 + 1) + 1) + 1) + 1) + 1) + 1) + 1) + 1) + 1) + 1) + 1) + 1) }}", "nested deeper")]
    public void Limits_OfCaller_AreKept(string template, string what)
    {
        var limits = new TemplateLimits { Steps = 200, Bytes = 4096, OutputLength = 50, Depth = 10 };
        var failure = Assert.Throws<TemplateException>(() => ChatTemplate.Parse(template).Render([], new() { Limits = limits }));
        Assert.Equal(TemplateErrorKind.Limit, failure.Kind);
        Assert.Contains(what, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Limits_OfTime_AreKept()
    {
        var limits = new TemplateLimits { Steps = long.MaxValue / 2, Bytes = long.MaxValue / 2, OutputLength = 1 << 30, Time = TimeSpan.FromMilliseconds(50) };
        var template = ChatTemplate.Parse("{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}");
        Assert.Contains("0.05 s", Assert.Throws<TemplateException>(() => template.Render([], new() { Limits = limits })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Render_LongConversation_IsWithinTheLimits()
    {
        var messages = new JsonArray();
        for (var i = 0; i < 2000; i++)
            messages.Add(new JsonObject { ["role"] = i % 2 == 0 ? "user" : "assistant", ["content"] = new string('x', 2000) });
        var template = ChatTemplate.Parse(
            "{% set ns = namespace(s='') %}{% for m in messages %}{% set c = (m.role ~ m.content)|trim %}{% if c.startswith('user') %}{{ '[' + c + ']' }}{% else %}{{ c.split('x', 3)|last|upper }}{% endif %}{% endfor %}");
        Assert.Equal(2_000_000 + 6000 + (1000 * 1997), template.Render(new JsonObject { ["messages"] = messages }).Text.Length);
    }

    private static string Repeat(string text, int times) => string.Concat(Enumerable.Repeat(text, times));

    /// <summary>Renders on a thread with a small stack; null where the template failed.</summary>
    private static string? Bounded(string source, JsonObject variables, out TemplateException? failure)
    {
        string? text = null;
        Exception? caught = null;
        var allocated = 0L;
        var watch = Stopwatch.StartNew();
        var thread = new Thread(() =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                text = ChatTemplate.Parse(source).Render(variables).Text;
            }
            catch (Exception any)
            {
                caught = any;
            }
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }, 1 << 20);
        thread.Start();
        thread.Join();
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"took {watch.Elapsed}");
        Assert.True(allocated < MaxAllocation, $"allocated {allocated >> 20} MiB");
        failure = caught is null ? null : Assert.IsType<TemplateException>(caught);
        return text;
    }
}
