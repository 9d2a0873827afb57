using OpenHearth.Engine.Templates;

namespace OpenHearth.Engine.Tests.Templates.Text;

/// <summary>The operator % on texts. The expectations are what Jinja 2 gives.</summary>
public sealed class PercentFormatTests
{
    [Theory]
    [InlineData("{{ \"%s %d %5d|%-5d|%05d|%+d|% d|%x|%X|%#x|%o|%e|%E|%f|%.2f|%g|%G|%c|%r|%%|%5s|%-5s|%.2s\" % (\"s\", 1, 2, 3, 4, 5, 6, 255, 255, 255, 8, 1.5, 1.5, 1.5, 1.555, 1e10, 1e-10, \"c\", \"r\", \"ab\", \"cd\", \"xyz\") }}", "s 1     2|3    |00004|+5| 6|ff|FF|0xff|10|1.500000e+00|1.500000E+00|1.500000|1.55|1e+10|1E-10|c|'r'|%|   ab|cd   |xy")]
    [InlineData("{{ \"%r %5.1f %.0f %.0f\" % (\"a\", 2.25, 0.5, 1.5) }} {{ \"%(a)s %(b)s\" % d }} {{ \"%d\" % 3.9 }} {{ \"%d\" % true }} {{ \"%*d\" % (5, 3) }} {{ \"%.*f\" % (2, 3.14159) }} {{ \"%s\" % [1] }} {{ \"%s-%s\"|format(1, 2) }} {{ \"%(a)s\"|format(a=3) }} {{ \"%.3d\" % 5 }} {{ \"%08.3f\" % -3.14159 }}", "'a'   2.2 0 2 1 two 3 1     3 3.14 [1] 1-2 3 005 -003.142")]
    public void Template_Rendered_EqualsJinja(string template, string expected) =>
        Assert.Equal(expected, TemplateSamples.Render(template));

    [Theory]
    [InlineData("{{ \"%s %s\" % 1 }}", TemplateErrorKind.Type, "not enough arguments for format string")]
    [InlineData("{{ \"%s\" % (1, 2) }}", TemplateErrorKind.Type, "not all arguments converted during string formatting")]
    [InlineData("{{ \"%d\" % \"a\" }}", TemplateErrorKind.Type, "%d format: a real number is required, not str")]
    [InlineData("{{ \"%x\" % 1.5 }}", TemplateErrorKind.Type, "%x format: an integer is required, not float")]
    [InlineData("{{ \"%\" % 1 }}", TemplateErrorKind.Value, "incomplete format")]
    public void Template_Wrong_FailsAsJinja(string template, TemplateErrorKind kind, string message)
    {
        var failure = Assert.Throws<TemplateException>(() => TemplateSamples.Render(template));
        Assert.Equal((kind, message), (failure.Kind, failure.Message));
    }
}
