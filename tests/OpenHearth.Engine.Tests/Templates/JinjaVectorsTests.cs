using System.Text.Json;
using OpenHearth.Engine.Templates;

namespace OpenHearth.Engine.Tests.Templates;

/// <summary>Small templates against Jinja 2 and against the JavaScript port.</summary>
public sealed class JinjaVectorsTests
{
    [Fact]
    public void Vectors_OfJinja_EqualReference()
    {
        var differences = new List<string>();
        var vectors = TemplateFixtures.Json("fixtures", "chat_templates_expected", "jinja_vectors.json").EnumerateArray().ToArray();
        foreach (var vector in vectors)
        {
            var actual = Render(vector.GetProperty("template").GetString()!, vector.GetProperty("variables"), out var failure);
            var expected = vector.TryGetProperty("expected", out var text) ? text.GetString() : null;
            if (actual != expected)
                differences.Add($"{vector.GetRawText()}\n  actual {actual ?? $"{failure!.Kind}: {failure.Message}"}");
        }
        Assert.True(differences.Count == 0, $"{differences.Count} differ:\n{string.Join('\n', differences)}");
        Assert.Equal(137, vectors.Length);
    }

    /// <summary>
    /// The vectors that expect JavaScript where Jinja 2 differs: it adds numbers to texts, prints lists as JSON, keeps 1
    /// and true apart, and knows the length of what <c>select</c> gives.
    /// </summary>
    private static readonly string[] JavaScriptOnly =
    [
        "FOR_LOOP_UNPACKING", "FOR_LOOP_OBJECTS", "PROPERTIES_1", "MEMBERSHIP", "MEMBERSHIP_NEGATION_1", "MEMBERSHIP_NEGATION_2",
        "FILTER_OPERATOR_4", "FILTER_OPERATOR_5", "FILTER_OPERATOR_6", "FILTER_OPERATOR_7", "FILTER_OPERATOR_11",
        "FILTER_OPERATOR_12", "FILTER_OPERATOR_13", "SORT_BASIC_STRINGS", "SORT_CASE_SENSITIVE", "SORT_CASE_INSENSITIVE",
        "SORT_ATTRIBUTE_SIMPLE", "SORT_CHAINED", "SORT_STABLE", "SORT_POSITIONAL_REVERSE_CASE", "SORT_POSITIONAL_ALL",
        "SORT_NULL_VALUES", "OBJECT_OPERATORS_2", "MACROS_2",
    ];

    [Fact]
    public void Vectors_OfHuggingFaceJs_EqualWhereJinjaAgrees()
    {
        var differences = new List<string>();
        foreach (var line in File.ReadLines(Fixtures.Path("fixtures", "jinja_vectors_hfjs", "templates.jsonl")))
        {
            using var vector = JsonDocument.Parse(line);
            var actual = Render(vector.RootElement.GetProperty("template").GetString()!, vector.RootElement.GetProperty("context"), out _);
            var expected = vector.RootElement.GetProperty("expected").GetString();
            if (actual is null || !string.Equals(actual, expected, StringComparison.OrdinalIgnoreCase))
                differences.Add(vector.RootElement.GetProperty("id").GetString()!);
        }
        Assert.Equal(JavaScriptOnly, differences);
    }

    private static string? Render(string template, JsonElement variables, out TemplateException? failure)
    {
        failure = null;
        try
        {
            return ChatTemplate.Parse(template).Render(variables, TemplateFixtures.AtReferenceTime).Text;
        }
        catch (TemplateException caught)
        {
            failure = caught;
            return null;
        }
    }
}
