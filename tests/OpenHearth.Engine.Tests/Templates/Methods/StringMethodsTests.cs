using OpenHearth.Engine.Templates;

namespace OpenHearth.Engine.Tests.Templates.Methods;

/// <summary>Methods of texts. The expectations are what Jinja 2 gives.</summary>
public sealed class StringMethodsTests
{
    [Theory]
    [InlineData("{{ \"a,b,,c\".split(\",\") }} {{ \" a  b \".split() }} {{ \"a-b-c\".split(\"-\", 1) }} {{ \"a-b-c\".rsplit(\"-\", 1) }} {{ \"a b  c\".split(none, 1) }} {{ \" a b \".rsplit(none, 1) }} {{ \"\".split() }} {{ \"\".split(\",\") }} {{ \"a,b\".split(\",\", maxsplit=0) }} {{ \"a\n\nb\r\nc\".splitlines() }} {{ \"a\n\".splitlines(true) }}", "['a', 'b', '', 'c'] ['a', 'b'] ['a', 'b-c'] ['a-b', 'c'] ['a', 'b  c'] [' a', 'b'] [] [''] ['a,b'] ['a', '', 'b', 'c'] ['a\\n']")]
    [InlineData("{{ \"abc\".startswith(\"ab\") }} {{ \"abc\".endswith(\"bc\") }} {{ \"abc\".startswith((\"x\", \"a\")) }} {{ \"abc\".startswith(\"b\", 1) }} {{ \"abc\".endswith(\"c\", 0, 2) }} {{ \"\".startswith(\"\", 1) }} {{ \"abcabc\".find(\"c\", 3) }} {{ \"abcabc\".rfind(\"c\") }} {{ \"abc\".find(\"z\") }} {{ \"aaa\".count(\"aa\") }} {{ \"ab\".count(\"\") }} {{ \"abc\".index(\"b\") }}", "True True True True False False 5 5 -1 1 3 1")]
    [InlineData("{{ \"  a \".strip() }}| {{ \"xxaxx\".strip(\"x\") }} {{ \"abcab\".lstrip(\"ab\") }} {{ \"abcab\".rstrip(\"ab\") }} {{ \"\\u00a0a\\u2003\\x1f\".strip() }}| {{ \"😀a😀\".strip(\"😀\") }} {{ \"Test1\".removeprefix(\"Test\") }} {{ \"Test1\".removesuffix(\"1\") }}", "a| a cab abc a| a 1 Test")]
    [InlineData("{{ \"x\".zfill(3) }} {{ \"-4\".zfill(4) }} {{ \"x\".center(5, \"*\") }} {{ \"x\".center(4, \"*\") }} {{ \"xy\".center(5, \"*\") }} {{ \"x\".ljust(3, \".\") }} {{ \"x\".rjust(3) }} {{ \"a\\tb\".expandtabs(4) }} {{ \"a=b=c\".partition(\"=\") }} {{ \"a=b=c\".rpartition(\"=\") }} {{ \"a\".partition(\"=\") }} {{ \", \".join([\"a\", \"b\"]) }} {{ \"-\".join(\"abc\") }}", "00x -004 **x** *x** **xy* x..   x a   b ('a', '=', 'b=c') ('a=b', '=', 'c') ('a', '', '') a, b a-b-c")]
    [InlineData("{{ \"123\".isdigit() }} {{ \"12a\".isalnum() }} {{ \"ab\".isalpha() }} {{ \" \".isspace() }} {{ \"Ab\".istitle() }} {{ \"²\".isdigit() }} {{ \"²\".isdecimal() }} {{ \"½\".isnumeric() }} {{ \"A1\".isupper() }} {{ \"1\".isupper() }} {{ \"\".islower() }} {{ \"a\".isidentifier() }} {{ \"\\n\".isprintable() }} {{ \"abc\".translate({97: \"X\", 98: none, 99: 100}) }}", "True True True True True True False True True False False True False Xd")]
    [InlineData("{{ \"abc\".startswith(\"\", 5, 5) }} {{ \"é😀x\".find(\"x\", 2) }} {{ \"é😀x\".startswith(\"😀\", 1, 2) }} {{ \"é😀x\".endswith(\"\", 9) }} {{ \"abc\".find(\"c\", -1) }} {{ \"abc\".count(\"\", 1, 9) }}", "False 2 True False 2 3")]
    [InlineData("{{ \"abc\".replace(\"b\", \"\") }} {{ \"aaa\".replace(\"a\", \"b\", 2) }} {{ \"ab\".replace(\"\", \"-\") }} {{ \"aaa\".replace(\"a\", \"b\", 0) }} {{ \"é😀\".replace(\"\", \"-\") }} {{ \"abc\".replace(\"z\", \"y\") }}", "ac bba -a-b- aaa -é-😀- abc")]
    public void Template_Rendered_EqualsJinja(string template, string expected) =>
        Assert.Equal(expected, TemplateSamples.Render(template));

    [Theory]
    [InlineData("{{ \"a\".split(\"\") }}", TemplateErrorKind.Value, "empty separator")]
    [InlineData("{{ \"abc\".index(\"z\") }}", TemplateErrorKind.Value, "substring not found")]
    [InlineData("{{ \"a\".ljust(3, \"xy\") }}", TemplateErrorKind.Type, "The fill character must be exactly one character long")]
    [InlineData("{{ \",\".join([1]) }}", TemplateErrorKind.Type, "sequence item 0: expected str instance, int found")]
    [InlineData("{{ \"abc\".startswith(1) }}", TemplateErrorKind.Type, "startswith first arg must be str or a tuple of str, not int")]
    public void Template_Wrong_FailsAsJinja(string template, TemplateErrorKind kind, string message)
    {
        var failure = Assert.Throws<TemplateException>(() => TemplateSamples.Render(template));
        Assert.Equal((kind, message), (failure.Kind, failure.Message));
    }
}
