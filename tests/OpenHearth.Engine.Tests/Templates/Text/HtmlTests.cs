namespace OpenHearth.Engine.Tests.Templates.Text;

/// <summary>Escaping, and what becomes of text that counts as escaped. The expectations are what Jinja 2 gives.</summary>
public sealed class HtmlTests
{
    [Theory]
    [InlineData("{{ \"<b>&'\\\"\"|e }} {{ u|e|e }} {{ u|e|forceescape }} {{ u|safe }} {{ (u|e) ~ u }} {{ (u|e) + u }} {{ u + (u|safe) }} {{ (u|safe) * 2 }} {{ (u|safe)[0:2] + \"<\" }} {{ (u|safe)|upper + \"&\" }}", "&lt;b&gt;&amp;&#39;&#34; &lt;b&gt; &amp;lt;b&amp;gt; <b> &lt;b&gt;<b> &lt;b&gt;&lt;b&gt; &lt;b&gt;<b> <b><b> <b&lt; <B>&amp;")]
    [InlineData("{{ (u|safe).join([\"<\", \"&\"]) }} {{ [\"<\", u|safe]|join }} {{ (\"%s\"|safe) % \"<\" }} {{ (\"{}\"|safe).format(\"<\") }} {{ (u|safe)|replace(\"<\", \">\") }} {{ (u|safe).replace(\"b\", \"<\") }} {{ (u|safe) is escaped }} {{ (u|safe) == u }} {{ (u|safe).split(\"b\") }}", "&lt;<b>&amp; <<b> &lt; &lt; >b> <&lt;> True True [Markup('<'), Markup('>')]")]
    [InlineData("{% autoescape true %}{{ u }}{{ u|safe }}{{ \"<x>\" ~ u }}{{ \"<x>\" ~ (u|safe) }}{{ [u] }}{% set q %}<{{ u }}>{% endset %}{{ q }}{% macro m() %}<i>{{ u }}{% endmacro %}{{ m() }}{{ [u, \"&\"]|join(\"<\") }}{% endautoescape %}{{ u }}", "&lt;b&gt;<b>&lt;x&gt;&lt;b&gt;&lt;x&gt;<b>[&#39;&lt;b&gt;&#39;]<&lt;b&gt;><i>&lt;b&gt;&lt;b&gt;&lt;&amp;<b>")]
    public void Template_Rendered_EqualsJinja(string template, string expected) =>
        Assert.Equal(expected, TemplateSamples.Render(template));
}
