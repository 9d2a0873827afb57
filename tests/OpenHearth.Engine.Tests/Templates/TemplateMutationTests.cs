using System.Text.Json.Nodes;
using OpenHearth.Engine.Templates;

namespace OpenHearth.Engine.Tests.Templates;

/// <summary>Damaged templates: whatever they do, only a <see cref="TemplateException"/> may come out.</summary>
public sealed class TemplateMutationTests
{
    private const int Mutants = 20_000;

    private static readonly string[] Seeds =
    [
        "{%- for message in messages %}{%- if (message.role == 'user') != (loop.index0 % 2 == 0) %}{{- raise_exception('no') }}{%- endif %}{{- '<' + message['role'] + '>\\n' + message.content|trim + '</s>' }}{%- endfor %}{%- if add_generation_prompt %}{{- '<assistant>' }}{%- endif %}",
        "{% macro show(tool, depth=0) -%}{{ '  ' * depth }}{{ tool.name }}{% for k, v in tool.items() %}{{ k }}: {{ v|tojson(indent=2) }}{% endfor %}{{ caller() if caller }}{%- endmacro %}{% for t in tools if t.name is defined %}{% call show(t, depth=1) %}{{ loop.last }}{% endcall %}{% else %}none{% endfor %}",
        "{% set ns = namespace(n=0, s='') %}{% for i in range(5) recursive %}{% set ns.n = ns.n + i ** 2 // 3 %}{% if i is odd %}{% continue %}{% endif %}{% set ns.s = ns.s ~ [i, -1.5, none, {'a': (1, 2)}][::-1] %}{% endfor %}{{ ns.s[1:-1]|replace('a', 'b')|upper }}{{ '%05.2f|%s' % (ns.n, ns) }}{{ '{:>8}{x!r}'.format(1, x='y') }}",
        "{# comment #}{% raw %}{{ raw }}{% endraw %}{% generation %}{{ messages|map(attribute='role')|unique|sort|join(', ') }}{% endgeneration %}{% filter indent(4, true) %}{% set t %}a\nb{% endset %}{{ t|e }}{% endfilter %}{% with a = 1, b = a %}{{ a if b else messages[-1].content.split('i', 1)[0].strip() }}{% endwith %}{{ strftime_now('%d %b %Y') }}",
    ];

    private static readonly string[] Pieces =
    [
        "{%", "%}", "{{", "}}", "{#", "#}", "-", "+", " ", "\n", "'", "\"", "(", ")", "[", "]", "{", "}", "|", "~", "not ", "is ", "if ", " else ",
        "endif", "endfor", "set ", "x", "0", "1.5", ".", "==", "in ", "and ", "**", "//", "%", "*", ",", ":", "loop", "none", "{%- endif %}",
        "{% raw %}", "\\", "é", "😀", "\ud800", "\0", "|list", "|tojson", "|sort", "[::-1]", "messages", "9999999999", "'\\x'", "{% break %}",
    ];

    [Fact]
    public void Mutant_Always_RendersOrFailsWithItsOwnException()
    {
        var random = new Random(20260315);
        var rendered = 0;
        for (var i = 0; i < Mutants; i++)
        {
            var template = Mutate(random);
            try
            {
                _ = ChatTemplate.Parse(template).Render(Variables());
                rendered++;
            }
            catch (TemplateException failure)
            {
                Assert.False(string.IsNullOrEmpty(failure.Message) && failure.Kind != TemplateErrorKind.Raised);
                Assert.InRange(failure.Line ?? 0, 1, 100);
            }
            catch (Exception any)
            {
                Assert.Fail($"{any}\n{template}");
            }
        }
        Assert.InRange(rendered, Mutants / 50, Mutants);
    }

    private static JsonObject Variables() => new()
    {
        ["messages"] = new JsonArray(
            new JsonObject { ["role"] = "user", ["content"] = " Hi 😀 " }, new JsonObject { ["role"] = "assistant", ["content"] = "Yo" }),
        ["tools"] = new JsonArray(new JsonObject { ["name"] = "f", ["x"] = new JsonArray(1, 2.5, null) }),
        ["add_generation_prompt"] = true,
    };

    private static string Mutate(Random random)
    {
        var text = Seeds[random.Next(Seeds.Length)];
        for (var times = random.Next(1, 5); times > 0; times--)
        {
            var at = random.Next(text.Length + 1);
            var end = Math.Min(text.Length, at + random.Next(12));
            var other = Seeds[random.Next(Seeds.Length)];
            var from = random.Next(other.Length);
            text = random.Next(4) switch
            {
                0 => text[..at] + Pieces[random.Next(Pieces.Length)] + text[at..],
                1 => text[..at] + text[end..],
                2 => text[..at] + Pieces[random.Next(Pieces.Length)] + text[end..],
                _ => text[..at] + other[from..Math.Min(other.Length, from + random.Next(40))] + text[at..],
            };
        }
        return text;
    }
}
