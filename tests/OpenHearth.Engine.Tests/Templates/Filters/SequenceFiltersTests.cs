using OpenHearth.Engine.Templates;

namespace OpenHearth.Engine.Tests.Templates.Filters;

/// <summary>Filters on sequences. The expectations are what Jinja 2 gives.</summary>
public sealed class SequenceFiltersTests
{
    [Theory]
    [InlineData("{{ [3, 1]|first }} {{ [3, 1]|last }} [{{ []|first }}] {{ l|reverse|list }} {{ \"abc\"|reverse }} {{ d|last }} {{ \"abc\"|list }} {{ d|list }} {{ l|length }} {{ d|count }}", "3 1 [] [2, 1, 3] cba b ['a', 'b', 'c'] ['a', 'b'] 3 2")]
    [InlineData("{{ [1, \"b\", none, 2.5, true]|join(\"-\") }}|{{ []|join(\",\") }}|{{ \"abc\"|join(\".\") }}|{{ p|join(\",\", attribute=\"name\") }}", "1-b-None-2.5-True||a.b.c|bob,Ada,cy")]
    [InlineData("{{ [3, 1, 2]|sort }} {{ [\"b\", \"A\", \"c\"]|sort }} {{ [\"b\", \"A\"]|sort(case_sensitive=true) }} {{ l|sort(reverse=true) }} {{ p|sort(attribute=\"age,name\")|map(attribute=\"name\")|list }} {{ [[1, \"x\"], [0, \"y\"]]|sort(attribute=0) }} {{ [none, none]|sort }}", "[1, 2, 3] ['A', 'b', 'c'] ['A', 'b'] [3, 2, 1] ['bob', 'cy', 'Ada'] [[0, 'y'], [1, 'x']] [None, None]")]
    [InlineData("{{ {\"b\": 3, \"A\": 1, \"c\": 2}|dictsort }} {{ {\"b\": 3, \"A\": 1}|dictsort(true) }} {{ {\"b\": 1, \"a\": 2}|dictsort(false, \"value\") }} {{ d|dictsort(reverse=true) }} {{ d|items|list }} {{ nope|items|list }}", "[('A', 1), ('b', 3), ('c', 2)] [('A', 1), ('b', 3)] [('b', 1), ('a', 2)] [('b', 'two'), ('a', 1)] [('a', 1), ('b', 'two')] []")]
    [InlineData("{{ [1, 2, 3, 4, 5]|batch(2)|list }} {{ [1, 2, 3]|batch(2, \"x\")|list }} {{ [1, 2, 3, 4, 5]|slice(2)|list }} {{ [1, 2, 3, 4, 5]|slice(3, \"z\")|list }}", "[[1, 2], [3, 4], [5]] [[1, 2], [3, 'x']] [[1, 2, 3], [4, 5]] [[1, 2], [3, 4], [5, 'z']]")]
    [InlineData("{% for k, rows in p|groupby(\"age\") %}{{ k }}:{{ rows|map(attribute=\"name\")|join(\"+\") }} {% endfor %}{% for g in p|groupby(\"vip\", default=false) %}{{ g.grouper }}{{ g.list|length }}{% endfor %}", "30:bob+cy 36:Ada False2True1")]
    [InlineData("{{ l|sum }} {{ [1, 2.5]|sum(start=10) }} {{ p|sum(attribute=\"age\") }} {{ l|min }} {{ l|max }} {{ [\"b\", \"A\"]|min }} {{ p|max(attribute=\"name\") }} [{{ []|max }}] {{ [\"a\", \"A\", \"b\"]|unique|list }} {{ [1, 1.0, true, \"1\"]|unique|list }}", "6 13.5 96 1 3 A {'name': 'cy', 'age': 30, 'vip': True} [] ['a', 'b'] [1, '1']")]
    public void Template_Rendered_EqualsJinja(string template, string expected) =>
        Assert.Equal(expected, TemplateSamples.Render(template));

    [Theory]
    [InlineData("{{ 5|list }}", TemplateErrorKind.Type, "'int' object is not iterable")]
    [InlineData("{{ [1, \"a\"]|sort }}", TemplateErrorKind.Type, "'<' not supported between instances of 'str' and 'int'")]
    [InlineData("{{ 5|items|list }}", TemplateErrorKind.Type, "Can only get item pairs from a mapping.")]
    [InlineData("{{ none|length }}", TemplateErrorKind.Type, "object of type 'NoneType' has no len()")]
    [InlineData("{{ (l|map(\"string\"))|length }}", TemplateErrorKind.Type, "object of type 'generator' has no len()")]
    public void Template_Wrong_FailsAsJinja(string template, TemplateErrorKind kind, string message)
    {
        var failure = Assert.Throws<TemplateException>(() => TemplateSamples.Render(template));
        Assert.Equal((kind, message), (failure.Kind, failure.Message));
    }
}
