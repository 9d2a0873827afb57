using OpenHearth.Engine.Conversion;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Engine.Tests.Conversion;
using OpenHearth.Engine.Tests.Files;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Engine.Tests.Architectures;

/// <summary>GGUF files of Mixtral from before April 2024, which have a tensor an expert: they give bit for bit what files of today give.</summary>
public sealed class OlderMixtralTests
{
    private const int Width = 32;
    private const int Hidden = 64;
    private const int Experts = 4;

    private static readonly int[] Ids = [3, 14, 15, 9, 2, 6, 5, 13, 8, 9, 7, 9, 3, 2];

    [Theory]
    [InlineData("mixtral")]
    [InlineData("mixtral-split")]
    public void Logits_OfAFixture_AreThoseOfTodaysForm(string name)
    {
        using var folder = new TemporaryFolder();
        var fixture = new ArchitectureFixture(name);
        WriteOlderForm(fixture.Form("gguf"), folder["older.gguf"]);
        AssertSameLogits(fixture.Form("gguf"), folder["older.gguf"], fixture.Ids);
        Assert.True(fixture.Error(Logits(folder["older.gguf"], fixture.Ids, exact: true)) <= 1e-4);
    }

    [Theory]
    [InlineData("f32")]
    [InlineData("q4_0")]
    public void Logits_OfMadeUpWeights_AreThoseOfTodaysForm(string type)
    {
        using var folder = new TemporaryFolder();
        Convert(MakeUp(folder), folder["new.gguf"], type);
        WriteOlderForm(folder["new.gguf"], folder["older.gguf"]);
        AssertSameLogits(folder["new.gguf"], folder["older.gguf"], Ids);
    }

    [Theory]
    [InlineData("f32", "q8_0")]
    [InlineData("q4_0", "q4_0")]
    [InlineData("q4_0", "f16")]
    public void Convert_ToGguf_WritesWhatTodaysFormGives(string from, string to)
    {
        using var folder = new TemporaryFolder();
        Convert(MakeUp(folder), folder["new.gguf"], from);
        WriteOlderForm(folder["new.gguf"], folder["older.gguf"]);
        Convert(folder["new.gguf"], folder["expected.gguf"], to);
        Convert(folder["older.gguf"], folder["actual.gguf"], to);
        Assert.Equal(File.ReadAllBytes(folder["expected.gguf"]), File.ReadAllBytes(folder["actual.gguf"]));
    }

    [Theory]
    [InlineData("f32")]
    [InlineData("q4_0")]
    public void Convert_ToSafetensors_WritesWhatTodaysFormGives(string type)
    {
        using var folder = new TemporaryFolder();
        Convert(MakeUp(folder), folder["new.gguf"], type);
        WriteOlderForm(folder["new.gguf"], folder["older.gguf"]);
        Convert(folder["new.gguf"], folder["expected"], "f32");
        Convert(folder["older.gguf"], folder["actual"], "f32");
        MadeUpFormTests.AssertSame(folder["expected"], folder["actual"]);
        Assert.Equal(Logits(folder["new.gguf"], Ids, exact: true), Logits(folder["actual"], Ids, exact: true), (a, b) => Math.Abs(a - b) < 1e-4);
    }

    [Fact]
    public void Experts_OfSeveralTypes_LoadAndConvert()
    {
        using var folder = new TemporaryFolder();
        var plain = MakeUp(folder);
        Convert(plain, folder["q8_0.gguf"], "q8_0");
        Convert(plain, folder["q4_0.gguf"], "q4_0");
        WriteOlderForm(folder["q8_0.gguf"], folder["mixed.gguf"], (name, expert) => expert == 2 ? folder["q4_0.gguf"] : folder["q8_0.gguf"]);
        using (var file = GgufFile.Open(folder["mixed.gguf"]))
            Assert.Equal((TensorType.Q8_0, TensorType.Q4_0), (file.GetTensor("blk.0.ffn_up.1.weight").Type, file.GetTensor("blk.0.ffn_up.2.weight").Type));
        Convert(folder["mixed.gguf"], folder["f32.gguf"], "f32");
        var logits = Logits(folder["mixed.gguf"], Ids, exact: true);
        Assert.Equal(Logits(folder["f32.gguf"], Ids, exact: true), logits);
        Assert.NotEqual(Logits(folder["q8_0.gguf"], Ids, exact: true), logits);
        Convert(folder["mixed.gguf"], folder["one type.gguf"], "q8_0"); // that of the first already
        Convert(folder["f32.gguf"], folder["expected.gguf"], "q8_0");
        Assert.InRange(LogitComparison.Error(Logits(folder["expected.gguf"], Ids, exact: true), Logits(folder["one type.gguf"], Ids, exact: true)), 0, 0.01);
    }

    [Fact]
    public void Load_WithoutAnExpert_NamesIt() =>
        AssertRefused(name => name == "blk.1.ffn_up.2.weight" ? null : name, "'blk.1.ffn_up_exps.weight' is missing (looked for 'blk.1.ffn_up.2.weight')", "'blk.1.ffn_up.2.weight' is missing");

    [Fact]
    public void Load_WithAnExpertOfAnotherShape_NamesIt() => AssertRefused(
        name => name == "blk.1.ffn_up.2.weight" ? "blk.1.ffn_down.2.weight" : name == "blk.1.ffn_down.2.weight" ? "blk.1.ffn_up.2.weight" : name,
        "'blk.1.ffn_up.2.weight' has shape [32, 64], expected [64, 32]", "'blk.1.ffn_down.2.weight' of type F32 and shape [64, 32] can't be stacked with the other experts");

    [Fact]
    public void Convert_WithAnExpertTooMany_NamesIt() =>
        AssertRefused(name => name, null, "'blk.0.ffn_down.3.weight' belongs to none of 3 experts", experts: Experts - 1);

    [Fact]
    public void Convert_WithoutExperts_LeavesSuchNamesAlone()
    {
        using var folder = new TemporaryFolder();
        WriteOlderForm(MakeUp(folder, experts: 0), folder["older.gguf"]);
        Convert(folder["older.gguf"], folder["out.gguf"], "f32");
        using var older = GgufFile.Open(folder["older.gguf"]);
        using var file = GgufFile.Open(folder["out.gguf"]);
        Assert.Equal(older.Tensors.Select(tensor => tensor.Name), file.Tensors.Select(tensor => tensor.Name));
    }

    private static void AssertRefused(Func<string, string?> rename, string? loading, string converting, int experts = Experts)
    {
        using var folder = new TemporaryFolder();
        WriteOlderForm(MakeUp(folder, experts), folder["older.gguf"], rename: rename);
        if (loading is not null)
            Assert.Contains(loading, Assert.Throws<ModelFormatException>(() => Logits(folder["older.gguf"], Ids, exact: true)).Message, StringComparison.Ordinal);
        Assert.Contains(converting, Assert.Throws<ModelFormatException>(() => Convert(folder["older.gguf"], folder["out.gguf"], "f16")).Message, StringComparison.Ordinal);
        Assert.Equal(["made-up.gguf", "older.gguf"], folder.Files);
    }

    // A Mixtral of two layers as a file of today, in F32.
    private static string MakeUp(TemporaryFolder folder, int experts = Experts)
    {
        var model = new EditableModel();
        foreach (var (key, value) in new (string, uint)[]
        {
            ("block_count", 2), ("context_length", 64), ("embedding_length", Width), ("feed_forward_length", Hidden), ("attention.head_count", 4),
            ("attention.head_count_kv", 2), ("expert_count", (uint)experts), ("expert_used_count", 2),
        })
            model.Metadata[key] = value;
        model.Metadata["attention.layer_norm_rms_epsilon"] = 1e-5f;
        var seed = 0;
        void Add(string name, params long[] shape) => model.SetRandom($"{name}.weight", ++seed, shape.Length == 1 ? 1 : 0, shape);
        Add("token_embd", 61, Width);
        Add("output_norm", Width);
        Add("output", 61, Width);
        foreach (var block in (string[])["blk.0", "blk.1"])
        {
            Add($"{block}.attn_norm", Width);
            Add($"{block}.attn_q", Width, Width);
            Add($"{block}.attn_k", Width / 2, Width);
            Add($"{block}.attn_v", Width / 2, Width);
            Add($"{block}.attn_output", Width, Width);
            Add($"{block}.ffn_norm", Width);
            Add($"{block}.ffn_gate_inp", Experts, Width);
            Add($"{block}.ffn_gate_exps", Experts, Hidden, Width);
            Add($"{block}.ffn_up_exps", Experts, Hidden, Width);
            Add($"{block}.ffn_down_exps", Experts, Width, Hidden);
        }
        File.Move(model.WriteGguf("llama"), folder["made-up.gguf"]);
        return folder["made-up.gguf"];
    }

    // The last expert first: their order in those files is any. Each may come from another file, and have another name or none.
    private static void WriteOlderForm(string from, string to, Func<string, int, string>? source = null, Func<string, string?>? rename = null)
    {
        using var file = GgufFile.Open(from);
        var others = new Dictionary<string, GgufFile>();
        var writer = new GgufWriter();
        foreach (var key in file.Metadata.Keys.Where(key => !key.StartsWith("split.", StringComparison.Ordinal)))
            writer.Add(key, file.Metadata.TryGet(key, out var value) ? value : throw file.Metadata.Missing(key));
        foreach (var tensor in file.Tensors)
        {
            if (!tensor.Name.EndsWith("_exps.weight", StringComparison.Ordinal))
            {
                writer.AddTensor(tensor.Name, tensor.Type, [.. tensor.Dimensions], tensor.Data);
                continue;
            }
            for (var expert = tensor.Dimensions[2] - 1; expert >= 0; expert--)
            {
                var path = source?.Invoke(tensor.Name, (int)expert) ?? from;
                if (!others.TryGetValue(path, out var other))
                    others.Add(path, other = GgufFile.Open(path));
                var stack = other.GetTensor(tensor.Name);
                var bytes = stack.ByteLength / stack.Dimensions[2];
                var name = tensor.Name.Replace("_exps", $".{expert}", StringComparison.Ordinal);
                if ((rename is null ? name : rename(name)) is { } renamed)
                    writer.AddTensor(renamed, stack.Type, [stack.Dimensions[0], stack.Dimensions[1]], stack.Data.Slice(expert * bytes, bytes));
            }
        }
        writer.Write(to, TestContext.Current.CancellationToken);
        foreach (var other in others.Values)
            other.Dispose();
    }

    private static void AssertSameLogits(string expected, string actual, int[] ids)
    {
        foreach (var exact in (bool[])[true, false])
            Assert.Equal(Logits(expected, ids, exact), Logits(actual, ids, exact));
    }

    private static float[] Logits(string path, int[] ids, bool exact)
    {
        using var model = Model.Load(path, new ModelOptions { Exact = exact, Threads = 2 });
        Assert.Empty(model.UnusedTensors);
        using var session = model.CreateSession();
        var logits = new float[ids.Length * model.Info.OutputWidth];
        session.Step(ids, logits);
        return logits;
    }

    private static void Convert(string model, string output, string type) =>
        ModelConversion.Convert(model, output, ConversionType.Find(type)!, cancellation: TestContext.Current.CancellationToken);
}
