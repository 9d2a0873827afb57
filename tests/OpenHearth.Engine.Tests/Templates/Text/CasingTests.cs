namespace OpenHearth.Engine.Tests.Templates.Text;

/// <summary>Case mapping beyond ASCII. The expectations are what Jinja 2 gives.</summary>
public sealed class CasingTests
{
    [Theory]
    [InlineData("{{ \"straße ÉCOLE ﬁ ŉ ΐ ǆ ſ ı\"|upper }} {{ \"STRASSE École İ ΑΣ ΑΣΑ Σ\"|lower }} {{ \"ß ﬁ ǆ\"|capitalize }} {{ \"ǆ ﬁx ßa they're\".title() }} {{ \"ÀéÉ\".swapcase() }} {{ \"Straße ς\".casefold() }} {{ \"hello wORLD it's o-k a_b 2nd (x)\"|title }}", "STRASSE ÉCOLE FI ʼN Ϊ́ Ǆ S I strasse école i̇ ας ασα σ Ss ﬁ ǆ ǅ Fix Ssa They'Re àÉé strasse σ Hello World It's O-K A_b 2nd (X)")]
    public void Template_Rendered_EqualsJinja(string template, string expected) =>
        Assert.Equal(expected, TemplateSamples.Render(template));
}
