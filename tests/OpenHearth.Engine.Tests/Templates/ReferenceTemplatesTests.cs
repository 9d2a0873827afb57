using System.Text.Json;
using System.Text.Json.Nodes;
using OpenHearth.Engine.Templates;

namespace OpenHearth.Engine.Tests.Templates;

/// <summary>Real chat templates over many conversations, against what transformers renders.</summary>
public sealed class ReferenceTemplatesTests
{
    [Theory]
    [InlineData("hfjs", 1159)]
    [InlineData("llamacpp", 1647)]
    [InlineData("mistral", 1708)]
    [InlineData("models", 122)]
    [InlineData("ollama", 1647)]
    [InlineData("trl", 2013)]
    public void Templates_OfFolder_EqualReference(string folder, int cases)
    {
        var conversations = TemplateFixtures.Json("fixtures", "chat_templates_expected", "conversations.json").EnumerateArray().ToArray();
        var differences = new List<string>();
        var compared = 0;
        foreach (var template in TemplateFixtures.Json("fixtures", "chat_templates_expected", $"expected_{folder}.json.gz").EnumerateArray())
        {
            var parsed = ChatTemplate.Parse(TemplateFixtures.Source(template));
            foreach (var conversation in conversations)
            {
                var id = conversation.GetProperty("id").GetString()!;
                var variables = JsonNode.Parse(conversation.GetProperty("variables").GetRawText())!.AsObject();
                foreach (var token in template.GetProperty("tokens").EnumerateObject())
                {
                    if (id != "no-special-tokens")
                        variables[token.Name] = token.Value.GetString();
                }
                compared++;
                if (Difference(parsed, variables, template.GetProperty("results").GetProperty(id)) is { } difference)
                    differences.Add($"{template.GetProperty("name").GetString()} / {id}: {difference}");
            }
        }
        Assert.True(differences.Count == 0, $"{differences.Count} differ:\n{string.Join('\n', differences)}");
        Assert.Equal(cases, compared);
    }

    /// <summary>All but Hammer 2.1, which prints a list: JavaScript prints JSON there, Python its own notation.</summary>
    [Fact]
    public void Templates_OfHuggingFaceJs_EqualTargets()
    {
        var compared = 0;
        var options = new TemplateOptions { Clock = new FixedClock(new(2025, 7, 10, 12, 0, 0, TimeSpan.Zero)) };
        var differences = new List<string>();
        foreach (var line in File.ReadLines(Fixtures.Path("fixtures", "jinja_vectors_hfjs", "chat_templates.jsonl")))
        {
            using var entry = JsonDocument.Parse(line);
            var text = ChatTemplate.Parse(entry.RootElement.GetProperty("chat_template").GetString()!)
                .Render(entry.RootElement.GetProperty("data"), options).Text;
            compared++;
            if (text != entry.RootElement.GetProperty("target").GetString())
                differences.Add(entry.RootElement.GetProperty("id").GetString()!);
        }
        Assert.Equal(53, compared);
        Assert.Equal(["custom:MadeAgents/Hammer2.1"], differences);
    }

    /// <summary>How a result differs from the reference; null where it is the same text, or an error of the same kind.</summary>
    private static string? Difference(ChatTemplate template, JsonObject variables, JsonElement expected)
    {
        try
        {
            var rendered = template.Render(variables, TemplateFixtures.AtReferenceTime);
            if (expected.TryGetProperty("error", out var error))
                return $"rendered, but expected {error.GetRawText()}";
            if (rendered.Text != expected.GetProperty("text").GetString())
                return $"\n  expected {expected.GetProperty("text").GetRawText()}\n  actual   {JsonSerializer.Serialize(rendered.Text)}";
            var spans = JsonSerializer.Serialize(rendered.GenerationSpans.Select(span => new[] { span.Start, span.End }));
            return expected.TryGetProperty("generation", out var marks) && spans != marks.GetRawText().Replace(" ", "", StringComparison.Ordinal)
                ? $"spans {spans}, expected {marks.GetRawText()}"
                : null;
        }
        catch (TemplateException failure)
        {
            if (!expected.TryGetProperty("error", out var error))
                return $"{failure.Kind} on line {failure.Line}: {failure.Message}";
            var (kind, message) = (error.GetProperty("kind").GetString()!, error.GetProperty("message").GetString()!);
            var sameKind = kind switch
            {
                "raise_exception" => failure.Kind == TemplateErrorKind.Raised,
                "other" => true,
                _ => failure.Kind.ToString().Equals(kind, StringComparison.OrdinalIgnoreCase),
            };
            return sameKind && (kind != "raise_exception" || message == failure.Message) ? null : $"{failure.Kind} '{failure.Message}', expected {kind} '{message}'";
        }
    }
}
