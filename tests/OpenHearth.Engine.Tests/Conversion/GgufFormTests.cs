using OpenHearth.Engine.Architectures;
using OpenHearth.Engine.Conversion;
using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Engine.Tests.Files;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Engine.Tests.Conversion;

/// <summary>Models of the Hugging Face form as GGUF files, against transformers' logits and llama.cpp's own converter.</summary>
public sealed class GgufFormTests
{
    private static readonly string[] InBothForms =
    [
        "bert", "bloom", "cohere2", "deepseek3", "deepseek3-yarn", "falcon-40b-style-dev", "falcon-7b-style", "gemma", "gemma2", "gemma3", "glm4moe",
        "gpt-oss-truncate", "gpt2", "granite", "lfm2", "llama", "llama-rope-llama3-tied", "llama-rope-yarn", "llama4", "mamba2", "mixtral", "mpt",
        "olmo", "olmo2", "olmo3", "olmoe", "phi3", "phi3-longrope-dev", "qwen2", "qwen2moe", "qwen3", "qwen3moe", "qwen3next", "smollm3", "stablelm",
        "starcoder2", "xlm-roberta",
    ];

    // llama.cpp's converter has made none of them.
    private static readonly string[] InOneForm =
    [
        "bitnet", "deepseek2-lite", "gemma4", "glm4-moe-lite", "gpt-neox", "granite-hybrid", "kimi-linear", "minimax-m2", "mistral-swa", "mixtral-split", "modernbert", "phimoe",
        "qwen3.5", "qwen3.5moe",
    ];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Convert_OfSafetensors_GivesTheReferencesLogitsAndText(string name)
    {
        using var folder = new TemporaryFolder();
        var fixture = new ArchitectureFixture(name);
        var path = folder["model.gguf"];
        ModelConversion.Convert(fixture.Form("safetensors"), path, ConversionType.Find("f32")!, cancellation: TestContext.Current.CancellationToken);
        using var model = Model.Load(path, new ModelOptions { Exact = true, Threads = 2 });
        Assert.Empty(model.UnusedTensors);
        using (var session = model.CreateSession())
        {
            var logits = new float[fixture.Expected.Length];
            session.Step(fixture.Ids, logits);
            Assert.InRange(fixture.Error(logits), 0, 1e-4);
        }
        if (fixture.GreedyIds.Length == 0)
            return;
        using (var session = model.CreateSession())
        {
            var logits = session.Step(fixture.Ids.AsSpan(0, fixture.GreedyPrompt));
            for (var i = 0; i < fixture.GreedyIds.Length; i++)
            {
                Assert.True(LogitComparison.Best(logits) == fixture.GreedyIds[i] || fixture.GreedyMargins[i] <= 1e-3, $"token {i}");
                logits = session.Step([fixture.GreedyIds[i]]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Convert_OfSafetensors_WritesWhatLlamaCppsConverterWrites(string name)
    {
        using var folder = new TemporaryFolder();
        var fixture = new ArchitectureFixture(name);
        ModelConversion.Convert(fixture.Form("safetensors"), folder["model.gguf"], ConversionType.Find("bf16")!, cancellation: TestContext.Current.CancellationToken);
        using var expected = GgufFile.Open(fixture.Form("gguf"));
        using var actual = GgufFile.Open(folder["model.gguf"]);
        Assert.Equal(expected.Tensors.Select(tensor => tensor.Name).Order(StringComparer.Ordinal), actual.Tensors.Select(tensor => tensor.Name).Order(StringComparer.Ordinal));
        foreach (var tensor in expected.Tensors)
        {
            var copy = actual.GetTensor(tensor.Name);
            Assert.Equal((tensor.Name, string.Join(' ', Trimmed(tensor))), (copy.Name, string.Join(' ', Trimmed(copy))));
            // Rows that no position turns may stay as they are.
            if (name == "smollm3" && tensor.Name is "blk.3.attn_q.weight" or "blk.3.attn_k.weight")
                continue;
            Assert.True(Values(tensor).AsSpan().SequenceEqual(Values(copy)), $"{tensor.Name}: the numbers are others");
        }
        var architecture = expected.Metadata.FindString("general.architecture");
        Assert.Equal(architecture, actual.Metadata.FindString("general.architecture"));
        var missing = expected.Metadata.Keys.Where(key => key.StartsWith(architecture + ".", StringComparison.Ordinal)
            && Text(expected, key) != Text(actual, key) && key != "bloom.context_length" && !(Needless.Contains(key[(key.IndexOf('.', StringComparison.Ordinal) + 1)..]) && Text(actual, key) == "nothing"));
        Assert.Equal([], missing.Select(key => $"{key}: {Text(expected, key)}, not {Text(actual, key)}"));
    }

    [Theory]
    [InlineData("gemma2-scale", "can't say all that this model is (step 9, AttentionOp: Scale 0.20412414 becomes 0.25)")]
    [InlineData("gpt-oss", "can't say all that this model is")]
    [InlineData("llama4-chunked", "Chunk 16 becomes 8192")]
    [InlineData("rwkv4", "rwkv4 models can't be GGUF files: no program has agreed on what such a file is like. The model runs as it is")]
    public void Convert_OfWhatAGgufFileCantSay_Refuses(string name, string message)
    {
        using var folder = new TemporaryFolder();
        var refusal = Assert.Throws<NotSupportedException>(() => ModelConversion.Convert(
            new ArchitectureFixture(name).Form("safetensors"), folder["x.gguf"], ConversionType.Find("f32")!, cancellation: TestContext.Current.CancellationToken));
        Assert.Contains(message, refusal.Message, StringComparison.Ordinal);
        Assert.Empty(folder.Files);
    }

    // llama.cpp leaves pairs that are in no section unturned; config.json doesn't say them here, two pairs turn.
    [Theory]
    [InlineData("qwen3.5")]
    [InlineData("qwen3.5moe")]
    public void Convert_OfQwen35_SharesAllPairsAmongSections(string name)
    {
        using var folder = new TemporaryFolder();
        ModelConversion.Convert(new ArchitectureFixture(name).Form("safetensors"), folder["model.gguf"], ConversionType.Find("f32")!, cancellation: TestContext.Current.CancellationToken);
        using var file = GgufFile.Open(folder["model.gguf"]);
        Assert.True(file.Metadata.TryGet($"{file.Metadata.FindString("general.architecture")}.rope.dimension_sections", out var sections));
        Assert.Equal([1, 1, 0, 0], sections.ToIntegers());
    }

    // llama.cpp ends its process over biases in any other type.
    [Fact]
    public void Convert_OfBiasesOfExperts_KeepsThemInF32()
    {
        using var folder = new TemporaryFolder();
        ModelConversion.Convert(new ArchitectureFixture("gpt-oss-truncate").Form("safetensors"), folder["model.gguf"], ConversionType.Find("bf16")!, cancellation: TestContext.Current.CancellationToken);
        using var file = GgufFile.Open(folder["model.gguf"]);
        Assert.All(file.Tensors.Where(tensor => !tensor.Name.EndsWith(".weight", StringComparison.Ordinal)), tensor => Assert.Equal(TensorType.F32, tensor.Type));
        Assert.Equal(TensorType.BF16, file.GetTensor("blk.0.ffn_gate_exps.weight").Type);
    }

    [Fact]
    public void Proven_Families_AreThoseTestedHere()
    {
        var tested = Cases().Select(row => GgufName(row.Data)).Concat(MadeUpFormTests.Families);
        Assert.Equal(GgufForm.Proven.Order(StringComparer.Ordinal), tested.Distinct().Order(StringComparer.Ordinal));
    }

    public static TheoryData<string> Cases() => [.. InBothForms, .. InOneForm];

    public static TheoryData<string> Pairs() => [.. InBothForms];

    internal static string GgufName(string fixture)
    {
        using var source = ModelSource.Open(new ArchitectureFixture(fixture).Form("safetensors"));
        return ArchitectureRegistry.Get(source).Name;
    }

    // What llama.cpp assumes where the key is missing, or nobody reads.
    private static readonly string[] Needless = ["tensor_data_layout", "attention.sliding_window", "attention.head_count_kv", "rope.scaling.type", "rope.scaling.original_context_length"];

    private static string Text(GgufFile file, string key) => file.Metadata.TryGet(key, out var value) ? $"{value.Type} {value}" : "nothing";

    private static IEnumerable<long> Trimmed(GgufTensor tensor) => tensor.Dimensions.Reverse().SkipWhile(dimension => dimension == 1);

    private static float[] Values(GgufTensor tensor)
    {
        var format = BlockFormats.Get(tensor.Type);
        var values = new float[tensor.Dimensions.Aggregate(1L, (count, dimension) => count * dimension)];
        format.Decode(tensor.Data.Span(0, (int)tensor.ByteLength), values);
        return values;
    }
}
