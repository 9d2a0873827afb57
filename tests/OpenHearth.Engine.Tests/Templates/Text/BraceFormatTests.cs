using OpenHearth.Engine.Templates;

namespace OpenHearth.Engine.Tests.Templates.Text;

/// <summary>The method format. The expectations are what Jinja 2 gives.</summary>
public sealed class BraceFormatTests
{
    [Theory]
    [InlineData("{{ \"{:>10}|{:<5}|{:^7}|{:*^9}|{:+d}|{:05d}|{:x}|{:X}|{:#x}|{:b}|{:o}|{:,}|{:_}|{:e}|{:.3g}|{:%}|{:.1%}\".format(\"a\", \"b\", \"c\", \"d\", 5, 42, 255, 255, 255, 5, 8, 1234567, 1234567, 1234.5, 0.00012345, 0.5, 0.256) }}", "         a|b    |   c   |****d****|+5|00042|ff|FF|0xff|101|10|1,234,567|1_234_567|1.234500e+03|0.000123|50.000000%|25.6%")]
    [InlineData("{{ \"{0} {1} {0} {name} {0[0]} {d[a]} {d.a}\".format(\"ab\", 2, name=\"N\", d=d) }} {{ \"{!r} {!s}\".format(\"é\", \"é\") }} {{ \"{:{w}.{p}f}\".format(3.14159, w=8, p=2) }} {{ \"{{}}\".format() }} {{ \"{a}\".format_map(d) }} {{ \"{:.2}|{:08.2f}|{:.3}|{:g}\".format(\"abc\", 3.14159, 1234.5, 1e-5) }} {{ \"{:,.2f}\".format(1234567.891) }}", "ab 2 ab N a 1 1 'é' é     3.14 {} 1 ab|00003.14|1.23e+03|1e-05 1,234,567.89")]
    public void Template_Rendered_EqualsJinja(string template, string expected) =>
        Assert.Equal(expected, TemplateSamples.Render(template));

    [Theory]
    [InlineData("{{ \"}\".format(1) }}", TemplateErrorKind.Value, "Single '}' encountered in format string")]
    [InlineData("{{ \"{:d}\".format(\"a\") }}", TemplateErrorKind.Value, "Unknown format code 'd' for object of type 'str'")]
    [InlineData("{{ \"{:q}\".format(1.5) }}", TemplateErrorKind.Value, "Unknown format code 'q' for object of type 'float'")]
    public void Template_Wrong_FailsAsJinja(string template, TemplateErrorKind kind, string message)
    {
        var failure = Assert.Throws<TemplateException>(() => TemplateSamples.Render(template));
        Assert.Equal((kind, message), (failure.Kind, failure.Message));
    }
}
