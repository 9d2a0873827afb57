using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Engine.Tests.Files.Gguf;

/// <summary>Files that other programs wrote.</summary>
public sealed class GgufConformanceTests
{
    [Fact]
    public void Open_EveryArchitectureFixture_HasPlausibleTensors()
    {
        var files = Directory.GetFiles(Fixtures.Path("fixtures", "architectures"), "*.gguf", SearchOption.AllDirectories);
        Assert.True(files.Length >= 40, $"{files.Length} files");
        foreach (var path in files)
        {
            using var file = GgufFile.Open(path);
            Assert.Equal(3, file.Version);
            Assert.NotNull(file.Metadata.FindString("general.architecture"));
            Assert.True(file.TryGetTensor("token_embd.weight", out var embedding), path);
            Assert.Equal(256, embedding.Dimensions[1]);
            Assert.True(file.Tensors.Count > 10, path);
            Assert.InRange(file.Tensors.Sum(tensor => tensor.Data.Length), file.FileBytes / 2, file.FileBytes);
        }
    }

    [Fact]
    public void Open_EveryVocabularyFixture_HasTokens()
    {
        var files = Directory.GetFiles(Fixtures.Path("fixtures", "tokenizers_gguf_vocab"), "*.gguf", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        foreach (var path in files)
        {
            using var file = GgufFile.Open(path);
            Assert.Empty(file.Tensors);
            var tokens = file.Metadata.FindStrings("tokenizer.ggml.tokens")!;
            Assert.True(tokens.Count > 1000, path);
            Assert.Equal(tokens.Count, file.Metadata.FindIntegers("tokenizer.ggml.token_type")!.Length);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Open_AnyPartOfASplit_HasAllTensors(int part)
    {
        var folder = Fixtures.Path("fixtures", "architectures", "mixtral-split");
        using var file = GgufFile.Open(Directory.GetFiles(folder, $"*-0000{part}-of-00003.gguf").Single());
        Assert.Equal(file.Metadata.FindInteger("split.tensors.count"), file.Tensors.Count);
        Assert.Equal(Directory.GetFiles(folder, "*.gguf").Sum(path => new FileInfo(path).Length), file.FileBytes);
        Assert.Equal("llama", file.Metadata.FindString("general.architecture"));
    }

    [Theory]
    [InlineData("all_minilm_l6_v2", "all-MiniLM-L6-v2-q8_0.gguf", "bert", 101)]
    [InlineData("tiny_stories260k", "stories260K.gguf", "llama", 48)]
    [InlineData("smollm2_135m_instruct", "SmolLM2-135M-Instruct.Q4_1.gguf", "llama", 272)]
    public void Open_RealModel_HasItsTensors(string folder, string name, string architecture, int tensors)
    {
        using var file = GgufFile.Open(Fixtures.Path("models", folder, name));
        Assert.Equal((architecture, tensors), (file.Metadata.FindString("general.architecture"), file.Tensors.Count));
        Assert.All(file.Tensors, tensor => Assert.True(tensor.Data.Length > 0));
    }

    [Fact]
    public void Write_FixtureOfEveryTypeAsBigEndian_ReadsTheSame()
    {
        using var folder = new TemporaryFolder();
        using var zoo = GgufFile.Open(Fixtures.Path("fixtures", "architectures", "zoo", "model.gguf"));
        var writer = new GgufWriter(3, bigEndian: true);
        foreach (var key in zoo.Metadata.Keys)
        {
            Assert.True(zoo.Metadata.TryGet(key, out var value));
            writer.Add(key, value);
        }
        foreach (var tensor in zoo.Tensors)
            writer.AddTensor(tensor.Name, tensor.Type, [.. tensor.Dimensions], tensor.Data);
        writer.Write(folder["zoo.gguf"], TestContext.Current.CancellationToken);
        using var copy = GgufFile.Open(folder["zoo.gguf"]);
        Assert.True(copy.BigEndian);
        Assert.Equal(zoo.Metadata.Keys, copy.Metadata.Keys);
        Assert.True(zoo.Tensors.Select(tensor => tensor.Type).Distinct().Count() > 20);
        foreach (var tensor in zoo.Tensors)
        {
            var data = copy.GetTensor(tensor.Name, [.. tensor.Dimensions]).Data;
            Assert.True(tensor.Data.Span(0, (int)tensor.Data.Length).SequenceEqual(data.Span(0, (int)data.Length)), tensor.Name);
        }
    }

    [Fact]
    public void Open_BuiltInModel_HasItsHeader()
    {
        using var file = GgufFile.Open(Directory.GetFiles(Path.Combine(Fixtures.Checkout, "models"), "SmolLM2*.gguf").Single());
        Assert.Equal("llama", file.Metadata.FindString("general.architecture"));
        Assert.Equal(30, file.Metadata.FindInteger("llama.block_count"));
        Assert.Equal(100000, file.Metadata.FindNumber("llama.rope.freq_base"));
        Assert.Equal("<|im_start|>", file.Metadata.FindStrings("tokenizer.ggml.tokens")!.GetString(1));
        Assert.Equal(TensorType.Q4_1, file.GetTensor("blk.0.attn_q.weight", 576, 576).Type);
        Assert.Equal(272, file.Tensors.Count);
    }
}
