using OpenHearth.Engine.Conversion;
using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Engine.Tests.Files;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Engine.Tests.Conversion;

public sealed class ModelConversionTests
{
    [Theory]
    [InlineData("llama")]
    [InlineData("gemma2")]
    [InlineData("qwen3moe")]
    [InlineData("mamba2")]
    [InlineData("deepseek3")]
    [InlineData("lfm2")]
    [InlineData("qwen3next")]
    [InlineData("gpt2")]
    [InlineData("bert")]
    public void Convert_ToF32AndBack_GivesEveryTensorByteForByte(string fixture)
    {
        using var folder = new TemporaryFolder();
        var original = Fixtures.Path("fixtures", "architectures", fixture, "model.gguf");
        Convert(original, folder["f32.gguf"], "f32");
        Convert(folder["f32.gguf"], folder["bf16.gguf"], "bf16");
        using var expected = GgufFile.Open(original);
        using var actual = GgufFile.Open(folder["bf16.gguf"]);
        Assert.Equal(expected.Tensors.Select(tensor => tensor.Name), actual.Tensors.Select(tensor => tensor.Name));
        foreach (var tensor in expected.Tensors)
        {
            var copy = actual.GetTensor(tensor.Name, [.. tensor.Dimensions]);
            Assert.Equal((tensor.Name, tensor.Type), (copy.Name, copy.Type));
            Assert.True(tensor.Data.Span(0, (int)tensor.ByteLength).SequenceEqual(copy.Data.Span(0, (int)copy.ByteLength)), tensor.Name);
        }
        Assert.Equal(expected.Metadata.Keys.Order(), actual.Metadata.Keys.Order());
        Assert.Equal(Texts(expected), Texts(actual));
    }

    [Fact]
    public void Convert_OfEveryTypeToF32_GivesTheSameLogits()
    {
        using var folder = new TemporaryFolder();
        var original = Fixtures.Path("fixtures", "architectures", "zoo", "model.gguf");
        Convert(original, folder["f32.gguf"], "f32");
        using (var file = GgufFile.Open(folder["f32.gguf"]))
            Assert.All(file.Tensors, tensor => Assert.Equal(TensorType.F32, tensor.Type));
        Assert.InRange(LogitComparison.Error(Logits(original), Logits(folder["f32.gguf"])), 0, 1e-4);
    }

    [Fact]
    public void Convert_OfASplitModel_WritesAWholeOne()
    {
        using var folder = new TemporaryFolder();
        var parts = Fixtures.Path("fixtures", "architectures", "mixtral-split");
        var first = Directory.GetFiles(parts, "*-00001-of-*.gguf").Single();
        Convert(first, folder["whole.gguf"], "bf16");
        using var whole = GgufFile.Open(folder["whole.gguf"]);
        Assert.DoesNotContain(whole.Metadata.Keys, key => key.StartsWith("split.", StringComparison.Ordinal));
        Assert.Equal(Logits(first), Logits(folder["whole.gguf"]));
    }

    [Theory]
    [InlineData("q8_0", 0.15)]
    [InlineData("f16", 0.01)]
    [InlineData("q4_0", 1)]
    public void Convert_ToFewerBits_StaysNearTheOriginal(string type, double bound)
    {
        using var folder = new TemporaryFolder();
        var original = Fixtures.Path("fixtures", "architectures", "llama", "model.gguf");
        Convert(original, folder["small.gguf"], type);
        using (var file = GgufFile.Open(folder["small.gguf"]))
        {
            Assert.Equal(ConversionType.Find(type)!.Type, file.GetTensor("blk.0.attn_q.weight").Type);
            Assert.Equal(TensorType.F32, file.GetTensor("blk.0.attn_norm.weight").Type);
            Assert.Equal(ConversionType.Find(type)!.FileType, file.Metadata.FindInteger("general.file_type"));
        }
        var error = LogitComparison.Error(Logits(original), Logits(folder["small.gguf"]));
        Assert.InRange(error, type == "f16" ? 0 : double.Epsilon, bound);
    }

    [Fact]
    public void Convert_WhereRowsAreNoWholeBlocks_TakesF16()
    {
        using var model = new TinyLlama();
        using var folder = new TemporaryFolder();
        Convert(model.Path, folder["q.gguf"], "q8_0");
        using var file = GgufFile.Open(folder["q.gguf"]);
        Assert.Equal(TensorType.F16, file.GetTensor("blk.0.attn_q.weight").Type);
        Assert.Equal("tiny", file.Metadata.FindString("general.name"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(21)]
    public void Convert_AfterItWasStopped_GoesOnAndWritesTheSameBytes(int stop)
    {
        using var model = new TinyLlama();
        using var folder = new TemporaryFolder();
        Convert(model.Path, folder["whole.gguf"], "f16");
        Assert.Throws<OperationCanceledException>(() => Stop(model.Path, folder["x.gguf"], stop));
        Assert.False(File.Exists(folder["x.gguf"]));
        Assert.Single(Partials(folder));
        var asked = new List<int>();
        ModelConversion.Convert(model.Path, folder["x.gguf"], ConversionType.Find("f16")!, at => asked.Add(at.Number), TestContext.Current.CancellationToken);
        Assert.Equal(Enumerable.Range(stop, 22 - stop), asked);
        Assert.Equal(File.ReadAllBytes(folder["whole.gguf"]), File.ReadAllBytes(folder["x.gguf"]));
        Assert.Empty(Partials(folder));
    }

    [Fact]
    public void Convert_ToAnotherTypeOrOfAChangedModelAfterItWasStopped_StartsAnew()
    {
        using var model = new TinyLlama();
        using var folder = new TemporaryFolder();
        Convert(model.Path, folder["whole.gguf"], "f16");
        Assert.Throws<OperationCanceledException>(() => Stop(model.Path, folder["x.gguf"], 5));
        Assert.Throws<OperationCanceledException>(() => Stop(model.Path, folder["x.gguf"], 5, "bf16"));
        File.SetLastWriteTimeUtc(model.Path, DateTime.UtcNow.AddHours(1));
        var asked = new List<int>();
        ModelConversion.Convert(model.Path, folder["x.gguf"], ConversionType.Find("f16")!, at => asked.Add(at.Number), TestContext.Current.CancellationToken);
        Assert.Equal(Enumerable.Range(1, 21), asked);
        Assert.Equal(File.ReadAllBytes(folder["whole.gguf"]), File.ReadAllBytes(folder["x.gguf"]));
        Assert.Empty(Partials(folder));
    }

    [Fact]
    public void Convert_WhileAnotherWritesTheSameFile_Refuses()
    {
        using var model = new TinyLlama();
        using var folder = new TemporaryFolder();
        ModelConversion.Convert(model.Path, folder["x.gguf"], ConversionType.Find("f16")!, at =>
        {
            if (at.Number == 2)
                Assert.Throws<IOException>(() => Convert(model.Path, folder["x.gguf"], "f16"));
        }, TestContext.Current.CancellationToken);
        Assert.True(File.Exists(folder["x.gguf"]));
    }

    [Fact]
    public void Convert_OntoItself_Refuses()
    {
        using var model = new TinyLlama();
        var before = File.ReadAllBytes(model.Path);
        Assert.Contains("give another name", Assert.Throws<IOException>(() => Convert(model.Path, model.Path, "f16")).Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(model.Path));
    }

    private static void Stop(string model, string output, int number, string type = "f16")
    {
        using var cancel = new CancellationTokenSource();
        ModelConversion.Convert(model, output, ConversionType.Find(type)!, at =>
        {
            if (at.Number == number)
                cancel.Cancel();
        }, cancel.Token);
    }

    private static string[] Partials(TemporaryFolder folder) => [.. folder.Files.Where(file => file.EndsWith(".partial", StringComparison.Ordinal))];

    private static void Convert(string model, string output, string type) => ModelConversion.Convert(model, output, ConversionType.Find(type)!);

    private static IEnumerable<string> Texts(GgufFile file) =>
        file.Metadata.Keys.Order().Select(key => file.Metadata.TryGet(key, out var value) ? $"{key} {value.Type} {value}" : key);

    private static float[] Logits(string path)
    {
        using var model = Model.Load(path, new ModelOptions { Exact = true });
        using var session = model.CreateSession(32);
        return [.. session.Step([7, 3, 11, 60, 2, 9, 33]).ToArray()];
    }
}
