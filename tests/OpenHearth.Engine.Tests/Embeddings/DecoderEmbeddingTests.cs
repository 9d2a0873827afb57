using System.Text.Json.Nodes;
using OpenHearth.Engine.Embeddings;

namespace OpenHearth.Engine.Tests.Embeddings;

/// <summary>Decoders that are embedding models, such as Qwen 3 Embedding: the state before the scores, of the last token.</summary>
public sealed class DecoderEmbeddingTests
{
    private static readonly ModelOptions Exact = new() { Exact = true, Threads = 2 };

    // What the head makes of a vector must be the reference's logits, up to the length that was divided away.
    [Theory]
    [InlineData("qwen3", "safetensors", "output")]
    [InlineData("qwen3", "gguf", "output")]
    [InlineData("gemma2", "gguf", "token_embd")] // soft caps of logits are behind the head
    public void Embedding_TimesTheHead_IsTheReferencesLogits(string folder, string form, string head)
    {
        var fixture = new ArchitectureFixture(folder);
        var edited = EditableModel.Read(fixture, form);
        edited.Metadata["pooling_type"] = 3u;
        var path = form == "gguf" ? edited.WriteGguf(folder) : edited.WriteSafetensors();
        try
        {
            if (form == "safetensors")
            {
                Directory.CreateDirectory(Path.Combine(path, "1_Pooling"));
                File.WriteAllText(Path.Combine(path, "1_Pooling", "config.json"), new JsonObject { ["pooling_mode_mean_tokens"] = false, ["pooling_mode_lasttoken"] = true }.ToJsonString());
            }
            using var model = Model.Load(path, Exact);
            using var embedder = new Embedder(model);
            Assert.False(model.Info.GivesLogits);
            Assert.Equal(Pooling.Last, embedder.Pooling);
            var vector = embedder.EmbedIds([fixture.Ids], TestContext.Current.CancellationToken)[0];
            Assert.Equal(1, vector.Sum(value => (double)value * value), 1e-5);
            var logits = Times(edited[form == "gguf" ? $"{head}.weight" : "lm_head.weight"], vector);
            var expected = fixture.Expected.AsSpan(fixture.Expected.Length - fixture.Width).ToArray();
            if (folder == "gemma2")
                expected = Array.ConvertAll(expected, logit => 10 * MathF.Atanh(logit / 10));
            Assert.True(Cosine(expected, logits) >= 1 - 1e-8, $"cosine {Cosine(expected, logits)}");
        }
        finally
        {
            if (form == "gguf")
                File.Delete(path);
            else
                Directory.Delete(path, recursive: true);
        }
    }

    private static float[] Times(float[] matrix, float[] x) =>
        [.. Enumerable.Range(0, matrix.Length / x.Length).Select(r => (float)x.Select((value, i) => (double)value * matrix[(r * x.Length) + i]).Sum())];

    private static double Cosine(float[] a, float[] b) =>
        a.Zip(b, (x, y) => (double)x * y).Sum() / Math.Sqrt(a.Sum(x => (double)x * x) * b.Sum(y => (double)y * y));
}
