using System.Text.Json.Nodes;
using OpenHearth.Engine.Architectures;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Safetensors;
using OpenHearth.Engine.Tests.Files;

namespace OpenHearth.Engine.Tests.Architectures;

public sealed class DecoderParametersTests
{
    [Theory]
    [InlineData("{}", "1010")]
    [InlineData("""{ "sliding_window_pattern": 3 }""", "1101")]
    [InlineData("""{ "layer_types": ["full_attention", "sliding_attention", "sliding_attention", "full_attention"] }""", "0110")]
    [InlineData("""{ "sliding_window": null }""", "0000")]
    public void WindowedLayers_AreWhatTheModelSays(string more, string expected) =>
        Assert.Equal(expected, string.Concat(Read(more).WindowedLayers(2).Select(window => window ? '1' : '0')));

    [Theory]
    [InlineData("""{ "layer_types": ["full_attention"] }""", "layer_types")]
    [InlineData("""{ "sliding_window_pattern": 0 }""", "sliding_window_pattern")]
    [InlineData("""{ "rotary_dim": 10 }""", "rotary_dim")]
    [InlineData("""{ "rope_theta": 10000, "partial_rotary_factor": 1.5 }""", "rotary_dim|partial_rotary_factor")]
    [InlineData("""{ "num_hidden_layers": 200000000 }""", "num_hidden_layers")]
    [InlineData("""{ "num_attention_heads": 0 }""", "num_attention_heads")]
    public void Read_WhatMakesNoSense_IsRefusedByName(string more, string key)
    {
        var refusal = Assert.Throws<ModelFormatException>(() => Read(more).WindowedLayers(2));
        Assert.Contains(key, refusal.Message, StringComparison.Ordinal);
    }

    private static DecoderParameters Read(string more)
    {
        using var folder = new TemporaryFolder();
        var config = JsonNode.Parse("""{ "hidden_size": 16, "num_hidden_layers": 4, "num_attention_heads": 2, "sliding_window": 4 }""")!.AsObject();
        foreach (var (key, value) in JsonNode.Parse(more)!.AsObject())
            config[key] = value?.DeepClone();
        File.WriteAllText(folder["config.json"], config.ToJsonString());
        return new DecoderParameters(new HuggingFaceParameters(HuggingFaceConfig.Read(folder.ToString())));
    }
}
