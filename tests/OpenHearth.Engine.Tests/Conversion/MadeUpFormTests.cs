using OpenHearth.Engine.Conversion;
using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Engine.Tests.Architectures;
using OpenHearth.Engine.Tests.Files;

namespace OpenHearth.Engine.Tests.Conversion;

/// <summary>Models that no fixture has, as GGUF files: results are those of the safetensors form. llama.cpp gave the same of each (<c>bench/peers same</c>).</summary>
public sealed class MadeUpFormTests
{
    /// <summary>GGUF names of those that no fixture has.</summary>
    public static readonly string[] Families = ["nomic-bert"];

    private static readonly int[] Ids = [3, 14, 15, 9, 2, 6, 5, 13, 8, 9, 7, 9, 3, 2];

    [Fact]
    public void Convert_OfKimiLinearWithLatentAttention_GivesTheSameLogits()
    {
        var model = EditableModel.Read(new ArchitectureFixture("kimi-linear"), "safetensors");
        const string latent = "model.layers.2.self_attn";
        model.RemoveAll(latent);
        model.SetRandom($"{latent}.q_proj.weight", 1, 0, 4 * 24, 64).SetRandom($"{latent}.kv_a_proj_with_mqa.weight", 2, 0, 32 + 8, 64)
            .SetRandom($"{latent}.kv_a_layernorm.weight", 3, 1, 32).SetRandom($"{latent}.kv_b_proj.weight", 4, 0, 4 * (16 + 16), 32).SetRandom($"{latent}.o_proj.weight", 5, 0, 64, 64);
        Verify(model, file =>
        {
            Assert.True(file.Metadata.TryGet("kimi-linear.attention.head_count_kv", out var keyHeads));
            Assert.Equal([0, 0, 1, 0], keyHeads.ToIntegers());
            Assert.Equal([1L, 4], file.GetTensor("blk.0.ssm_a").Dimensions);
            Assert.Equal(
                [32L + 8, 32, 24, 16, 8, 2],
                ((string[])["attention.key_length", "attention.value_length", "attention.key_length_mla", "attention.value_length_mla", "rope.dimension_count", "expert_gating_func"])
                    .Select(key => file.Metadata.FindInteger($"kimi-linear.{key}")));
        });
    }

    [Fact]
    public void Convert_OfNomicBert_GivesTheSameVectors() => Verify(NomicBertTests.MakeUp());

    private static void Verify(EditableModel model, Action<GgufFile>? file = null)
    {
        var expected = model.RunSafetensors(Ids);
        using var folder = new TemporaryFolder();
        var source = model.WriteSafetensors();
        try
        {
            ModelConversion.Convert(source, folder["model.gguf"], ConversionType.Find("f32")!, cancellation: TestContext.Current.CancellationToken);
        }
        finally
        {
            Directory.Delete(source, recursive: true);
        }
        using (var written = GgufFile.Open(folder["model.gguf"]))
            file?.Invoke(written);
        using var loaded = Model.Load(folder["model.gguf"], new ModelOptions { Exact = true, Threads = 2 });
        Assert.Empty(loaded.UnusedTensors);
        using var session = loaded.CreateSession();
        var results = new float[expected.Length];
        session.Step(Ids, results);
        Assert.InRange(LogitComparison.Error(expected, results), 0, 1e-5);
    }
}
