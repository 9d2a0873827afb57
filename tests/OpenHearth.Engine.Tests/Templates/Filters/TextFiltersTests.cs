using OpenHearth.Engine.Templates;

namespace OpenHearth.Engine.Tests.Templates.Filters;

/// <summary>Filters on texts. The expectations are what Jinja 2 gives.</summary>
public sealed class TextFiltersTests
{
    [Theory]
    [InlineData("{{ \"a.b.c\"|replace(\".\", \"\") }} {{ \"aaaa\"|replace(\"a\", \"b\", 2) }} {{ \"ab\"|replace(\"\", \"-\") }} {{ 123|replace(2, \"x\") }} {{ \"  a \"|trim }}| {{ \"xax\"|trim(\"x\") }} {{ none|upper }} {{ 1.0|string }} {{ \"a b  c\"|wordcount }}", "abc bbaa -a-b- 1x3 a| a NONE 1.0 3")]
    [InlineData("{{ \"a\nb\"|indent }}|{{ \"a\nb\n\nc\"|indent(2) }}|{{ \"a\n\nb\"|indent(2, true, true) }}|{{ \"a\nb\"|indent(\"> \") }}|{{ \"a\nb\"|indent(first=true) }}|{{ \"ab\"|center(6) }}|{{ \"abc\"|center(4) }}|", "a\n    b|a\n  b\n\n  c|  a\n  \n  b|a\n> b|    a\n    b|  ab  |abc |")]
    [InlineData("{{ \"hello big world\"|truncate(9) }}|{{ \"hello big world\"|truncate(9, true) }}|{{ \"hello\"|truncate(3, leeway=0) }}|{{ \"hello big world\"|truncate(9, false, \"…\") }}|{{ \"hello\"|truncate(4) }}", "hello...|hello ...|...|hello…|hello")]
    [InlineData("{{ \"a b c d e f\"|wordwrap(3) }}|{{ \"hello-world foo\"|wordwrap(7) }}|{{ \"abcdefghij\"|wordwrap(4) }}|{{ \"abcdefghij kl\"|wordwrap(4, false) }}|{{ \"a b\"|wordwrap(1, wrapstring=\"<br>\") }}", "a b\nc d\ne f|hello-\nworld\nfoo|abcd\nefgh\nij|abcdefghij\nkl|a<br>b")]
    [InlineData("{{ \"<a href=x>b</a> &amp; c <!-- q -->\"|striptags }} {{ \"a b&c/d é\"|urlencode }} {{ {\"a b\": 1, \"c\": \"d e\"}|urlencode }}{{ {\"class\": \"a\", \"id\": none, \"x\": \"<\"}|xmlattr }} {{ 1500000|filesizeformat }} {{ 123456789|filesizeformat(true) }} {{ 1|filesizeformat }}", "b & c a%20b%26c/d%20%C3%A9 a+b=1&c=d+e class=\"a\" x=\"&lt;\" 1.5 MB 117.7 MiB 1 Byte")]
    public void Template_Rendered_EqualsJinja(string template, string expected) =>
        Assert.Equal(expected, TemplateSamples.Render(template));

    [Theory]
    [InlineData("{{ none|indent }}", TemplateErrorKind.Type, "unsupported operand type(s) for +=: 'NoneType' and 'str'")]
    public void Template_Wrong_FailsAsJinja(string template, TemplateErrorKind kind, string message)
    {
        var failure = Assert.Throws<TemplateException>(() => TemplateSamples.Render(template));
        Assert.Equal((kind, message), (failure.Kind, failure.Message));
    }
}
