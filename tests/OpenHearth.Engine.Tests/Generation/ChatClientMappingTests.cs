using System.Text.Json;
using Microsoft.Extensions.AI;
using OpenHearth.Engine.Generation;
using OpenHearth.Engine.Sampling;
using OpenHearth.Engine.Templates;

namespace OpenHearth.Engine.Tests.Generation;

public sealed class ChatClientMappingTests
{
    private static readonly GenerationOptions Defaults = new() { MaxTokens = 7, Sampling = new() { Temperature = 0.5f } };

    [Fact]
    public void Options_OfEverythingSet_AreTheEnginesFields()
    {
        var mapped = Map(new ChatOptions
        {
            Temperature = 0.25f,
            TopP = 0.5f,
            TopK = 11,
            Seed = 77,
            FrequencyPenalty = 0.1f,
            PresencePenalty = 0.2f,
            MaxOutputTokens = 99,
            StopSequences = ["x"],
            ModelId = "another",
            AdditionalProperties = new()
            {
                ["min_p"] = 0.1,
                ["typical_p"] = 0.9f,
                ["top_n_sigma"] = 2,
                ["repeat_penalty"] = JsonDocument.Parse("1.5").RootElement,
                ["repeat_last_n"] = 32L,
                ["dry_multiplier"] = 0.8m,
                ["dry_base"] = 2,
                ["dry_allowed_length"] = 3,
                ["dry_last_n"] = 100,
                ["xtc_probability"] = 0.25,
                ["xtc_threshold"] = 0.125,
                ["mirostat_tau"] = 5,
                ["mirostat_eta"] = 0.5,
                ["of_someone_else"] = "ignored",
            },
        });
        Assert.Equal((99, "x"), (mapped.MaxTokens, Assert.Single(mapped.Stop)));
        var expected = new SamplingOptions
        {
            Temperature = 0.25f,
            TopP = 0.5f,
            TopK = 11,
            Seed = 77,
            FrequencyPenalty = 0.1f,
            PresencePenalty = 0.2f,
            MinP = 0.1f,
            TypicalP = 0.9f,
            TopNSigma = 2,
            RepeatPenalty = 1.5f,
            RepeatLastN = 32,
            DryMultiplier = 0.8f,
            DryBase = 2,
            DryAllowedLength = 3,
            DryLastN = 100,
            XtcProbability = 0.25f,
            XtcThreshold = 0.125f,
            MirostatTau = 5,
            MirostatEta = 0.5f,
        };
        // Lists compare by reference: take the mapped ones.
        Assert.Equal(expected with { DryBreakers = mapped.Sampling.DryBreakers, LogitBias = mapped.Sampling.LogitBias }, mapped.Sampling);
    }

    [Fact]
    public void Options_OfNothingSet_AreTheDefaults()
    {
        Assert.Same(Defaults, Map(null));
        Assert.Equal(Defaults, Map(new ChatOptions()));
        var raw = new GenerationOptions { MaxTokens = 3, Stop = ["raw"] };
        var mapped = Map(new ChatOptions { RawRepresentationFactory = _ => raw, MaxOutputTokens = 4 });
        Assert.Equal((4, "raw"), (mapped.MaxTokens, Assert.Single(mapped.Stop)));
    }

    public static TheoryData<string, ChatOptions> NotDone => new()
    {
        { "tools", new ChatOptions { Tools = [AIFunctionFactory.CreateDeclaration("f", "", JsonDocument.Parse("{}").RootElement)] } },
        { "JSON", new ChatOptions { ResponseFormat = ChatResponseFormat.Json } },
        { "conversations", new ChatOptions { ConversationId = "1" } },
    };

    [Theory]
    [MemberData(nameof(NotDone), DisableDiscoveryEnumeration = true)]
    public void Options_OfWhatIsNotDone_AreRefused(string word, ChatOptions options) =>
        Assert.Contains(word, Assert.Throws<NotSupportedException>(() => Map(options)).Message, StringComparison.Ordinal);

    [Fact]
    public void Options_WithToolsThatMustNotBeCalled_Pass() =>
        Map(new ChatOptions { ToolMode = ChatToolMode.None, Tools = [AIFunctionFactory.CreateDeclaration("f", "", JsonDocument.Parse("{}").RootElement)] });

    [Theory]
    [InlineData("min_p", "much")]
    [InlineData("min_p", null)]
    [InlineData("repeat_last_n", 1.5)]
    [InlineData("repeat_last_n", 1e30)]
    [InlineData("dry_base", double.NaN)]
    public void Options_OfAWrongProperty_NameIt(string name, object? value)
    {
        var error = Assert.ThrowsAny<ArgumentException>(() => Map(new ChatOptions { AdditionalProperties = new() { [name] = value } }));
        Assert.Contains(name.Replace("_", "", StringComparison.Ordinal), error.Message.Replace("_", "", StringComparison.Ordinal), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Turns_WithInstructions_HaveOneSystemMessage()
    {
        ChatMessage[] messages = [new(ChatRole.System, "Be kind."), new(ChatRole.User, [new TextContent("a"), new TextContent("b")])];
        Assert.Equal([new ChatTurn("system", "Be brief.\n\nBe kind."), new("user", "ab")], ChatClientMapping.Turns(messages, "Be brief."));
        Assert.Equal([new ChatTurn("system", "Be brief."), new("user", "ab")], ChatClientMapping.Turns(messages[1..], "Be brief."));
        Assert.Equal([new ChatTurn("user", "ab")], ChatClientMapping.Turns(messages[1..], null));
    }

    [Fact]
    public void Turns_OfAnImage_AreRefused()
    {
        ChatMessage[] messages = [new(ChatRole.User, [new DataContent(new byte[] { 1 }, "image/png")])];
        Assert.Contains("DataContent", Assert.Throws<NotSupportedException>(() => ChatClientMapping.Turns(messages, null)).Message, StringComparison.Ordinal);
    }

    private static GenerationOptions Map(ChatOptions? options) => ChatClientMapping.Options(null!, options, Defaults);
}
