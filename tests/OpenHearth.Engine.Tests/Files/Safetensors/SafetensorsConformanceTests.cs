using System.Text.Json;
using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Engine.Files.Safetensors;

namespace OpenHearth.Engine.Tests.Files.Safetensors;

/// <summary>Models that other programs wrote.</summary>
public sealed class SafetensorsConformanceTests
{
    [Fact]
    public void Open_EveryArchitectureFixture_HasPlausibleTensorsAndConfig()
    {
        var folders = Directory.GetFiles(Fixtures.Path("fixtures", "architectures"), "config.json", SearchOption.AllDirectories);
        Assert.True(folders.Length >= 55, $"{folders.Length} folders");
        foreach (var folder in folders.Select(path => Path.GetDirectoryName(path)!))
        {
            using var model = SafetensorsModel.Open(folder);
            Assert.True(model.Tensors.Count > 10, folder);
            Assert.InRange(model.Tensors.Sum(tensor => tensor.Data.Length), model.FileBytes / 2, model.FileBytes);
            var config = HuggingFaceConfig.Read(folder);
            Assert.Equal("bfloat16", config.Dtype);
            Assert.NotEmpty(config.ModelType);
            Assert.Single(config.Architectures);
            var rope = config.Rope();
            using var raw = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "config.json")).Replace("Infinity", "0"));
            Assert.Equal(raw.RootElement.EnumerateObject().Any(property => property.Name is "rope_theta" or "rope_parameters" or "global_rope_theta"), rope is not null);
        }
    }

    [Theory]
    [InlineData("model-00001-of-00003.safetensors")]
    [InlineData("model-00003-of-00003.safetensors")]
    [InlineData("model.safetensors.index.json")]
    [InlineData("")]
    public void Open_ShardedFixtureByAnyOfItsNames_HasAllTensors(string name)
    {
        var folder = Fixtures.Path("fixtures", "architectures", "mixtral-split");
        using var model = SafetensorsModel.Open(Path.Combine(folder, name));
        using var index = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "model.safetensors.index.json")));
        Assert.Equal(index.RootElement.GetProperty("weight_map").EnumerateObject().Select(pair => pair.Name).Order(), model.Tensors.Select(tensor => tensor.Name).Order());
        Assert.Equal(3, model.Tensors.Select(tensor => tensor.Path).Distinct().Count());
    }

    [Fact]
    public void Open_LlamaFixture_HasTheEmbeddingOfItsGguf()
    {
        using var model = SafetensorsModel.Open(Fixtures.Path("fixtures", "architectures", "llama"));
        using var gguf = GgufFile.Open(Fixtures.Path("fixtures", "architectures", "llama", "model.gguf"));
        var (ours, theirs) = (model.GetTensor("model.embed_tokens.weight"), gguf.GetTensor("token_embd.weight"));
        Assert.Equal(ours.Shape.Reverse(), theirs.Dimensions);
        if (ours.Type == theirs.Type)
            Assert.True(ours.Data.Span(0, (int)ours.Data.Length).SequenceEqual(theirs.Data.Span(0, (int)theirs.Data.Length)));
        else
            Assert.Equal(ours.Data.Length * 2, theirs.Data.Length);
    }

    [Fact]
    public void Open_EveryTrainingFixture_Opens()
    {
        var files = Directory.GetFiles(Fixtures.Path("fixtures", "training"), "*.safetensors", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        foreach (var file in files)
        {
            using var model = SafetensorsModel.Open(file);
            Assert.NotEmpty(model.Tensors);
        }
    }

    [Fact]
    public void Rope_OfEveryStyleInTheFixtures_IsNormalized()
    {
        static RopeParameters Rope(string name, string? layerType = null) =>
            HuggingFaceConfig.Read(Fixtures.Path("fixtures", "architectures", name)).Rope(layerType)!;

        Assert.Equal(("default", 10000.0), (Rope("llama").Type, Rope("llama").Theta));
        var llama3 = Rope("llama-rope-llama3-tied");
        Assert.Equal(("llama3", 500000.0, 8.0, 1.0, 4.0, 64L), (llama3.Type, llama3.Theta, llama3.Factor, llama3.LowFrequencyFactor, llama3.HighFrequencyFactor, llama3.OriginalMaxPositions));
        var yarn = Rope("llama-rope-yarn");
        Assert.Equal(("yarn", 10000.0, 4.0, 16L, true), (yarn.Type, yarn.Theta, yarn.Factor, yarn.OriginalMaxPositions, yarn.Truncate));
        Assert.False(Rope("gpt-oss").Truncate);
        var deepseek = Rope("deepseek3-yarn");
        Assert.Equal(("yarn", 1.0, 1.0, 32.0, 1.0), (deepseek.Type, deepseek.Mscale, deepseek.MscaleAllDimensions, deepseek.BetaFast, deepseek.BetaSlow));
        var longRope = Rope("phi3-longrope-dev");
        Assert.Equal(("longrope", 4.0, 32L, 8, 1.7), (longRope.Type, longRope.Factor, longRope.OriginalMaxPositions, longRope.ShortFactor!.Count, longRope.LongFactor![1]));
        Assert.Equal((1000000.0, 10000.0), (Rope("gemma3", "full_attention").Theta, Rope("gemma3", "sliding_attention").Theta));
        Assert.Equal((160000.0, 10000.0), (Rope("modernbert", "full_attention").Theta, Rope("modernbert", "sliding_attention").Theta));
        Assert.Equal((500000.0, 500000.0), (Rope("olmo3", "sliding_attention").Theta, Rope("olmo3").Theta));
        Assert.Equal((0.5, 0.25, 0.25), (Rope("glm4moe").PartialRotaryFactor, Rope("gpt-neox").PartialRotaryFactor, Rope("stablelm").PartialRotaryFactor));
    }

    [Fact]
    public void FindNumbers_PythonsInfinity_IsInfinity()
    {
        var limits = HuggingFaceConfig.Read(Fixtures.Path("fixtures", "architectures", "mamba2")).FindNumbers("time_step_limit");
        Assert.Equal(double.PositiveInfinity, limits![1]);
    }
}
