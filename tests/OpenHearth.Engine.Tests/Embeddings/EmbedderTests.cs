using System.Runtime.InteropServices;
using System.Text.Json;
using OpenHearth.Engine.Embeddings;

namespace OpenHearth.Engine.Tests.Embeddings;

public sealed class EmbedderTests
{
    private static readonly ModelOptions Exact = new() { Exact = true, Threads = 2 };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Embed_OfMiniLm_IsTheReference(bool exact)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(Fixtures.Path("fixtures", "minilm", "expected.json")));
        var texts = json.RootElement.GetProperty("texts").EnumerateArray().Select(text => text.GetString()!).ToArray();
        var ids = json.RootElement.GetProperty("ids").EnumerateArray().Select(row => row.EnumerateArray().Select(id => id.GetInt32()).ToArray()).ToArray();
        var expected = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(Fixtures.Path("fixtures", "minilm", "expected.f32"))).ToArray();
        using var model = Model.Load(Fixtures.Path("models", "all_minilm_l6_v2", "all-MiniLM-L6-v2-q8_0.gguf"), new ModelOptions { Exact = exact, Threads = 2 });
        using var embedder = new Embedder(model);
        Assert.Equal(Pooling.Mean, embedder.Pooling);
        var byIds = embedder.EmbedIds(ids, Cancellation);
        for (var i = 0; i < texts.Length; i++)
            Assert.True(Cosine(expected.AsSpan(i * 384, 384), byIds[i]) >= 0.9999, $"text {i}: cosine {Cosine(expected.AsSpan(i * 384, 384), byIds[i])}");
        // The reference cuts its longest text at 256 tokens and reads "[CLS]" in one as the token, which nothing here does by itself.
        var plain = Enumerable.Range(0, texts.Length).Where(i => ids[i].Length < 256 && !texts[i].Contains("[CLS]", StringComparison.Ordinal)).ToArray();
        Assert.Equal(texts.Length - 2, plain.Length);
        foreach (var i in plain)
            Assert.True(Cosine(expected.AsSpan(i * 384, 384), embedder.Embed([texts[i]], Cancellation)[0]) >= 0.9999, $"text {i} by itself");
    }

    [Fact]
    public void Embed_OfATextBeyondTheModel_IsRefusedWithTheNumbers()
    {
        using var file = new TinyBert();
        using var model = Model.Load(file.Path, Exact);
        using var embedder = new Embedder(model);
        Assert.Single(embedder.EmbedIds([Ids(TinyBert.Context, 1)], Cancellation));
        var refusal = Assert.Throws<ContextOverflowException>(() => embedder.EmbedIds([[1, 2], Ids(TinyBert.Context + 1, 1)], Cancellation));
        Assert.Equal("Text 2 of 2 has 41 tokens; tiny takes at most 40.", refusal.Message);
    }

    [Fact]
    public void Embed_WhereNumbersBreakDown_IsNoVectorOfZeros()
    {
        using var file = new TinyBert();
        using (var stream = File.OpenWrite(file.Path)) // the last weight of the last norm
        {
            stream.Seek(-sizeof(float), SeekOrigin.End);
            stream.Write(BitConverter.GetBytes(float.NaN));
        }
        using var model = Model.Load(file.Path, Exact);
        using var embedder = new Embedder(model);
        Assert.Throws<NotFiniteNumberException>(() => embedder.EmbedIds([[1, 2, 3]], Cancellation));
    }

    [Theory]
    [InlineData(512)]
    [InlineData(1)] // a step then holds one text of the longest kind, so that batches are cut between texts
    public void EmbedIds_OfManyTexts_AreThoseOfEach(int step)
    {
        using var file = new TinyBert();
        using var model = Model.Load(file.Path, Exact with { MaximumStepTokens = step });
        using var embedder = new Embedder(model);
        int[][] texts = [.. Enumerable.Range(0, 75).Select(i => Ids(1 + (i * 7 % TinyBert.Context), i))];
        var together = embedder.EmbedIds(texts, Cancellation);
        Assert.All(texts, (text, i) => Assert.True(Cosine(together[i], embedder.EmbedIds([text], Cancellation)[0]) > 0.9999999));
        Assert.All(together, vector => Assert.Equal(1, vector.Sum(value => (double)value * value), 1e-5));
        Assert.Empty(embedder.EmbedIds([], Cancellation));
    }

    [Theory]
    [InlineData(1u, Pooling.Mean)]
    [InlineData(2u, Pooling.Cls)]
    [InlineData(3u, Pooling.Last)]
    [InlineData(null, Pooling.Mean)]
    public void Pooling_OfTheModel_PicksItsRows(uint? stored, Pooling pooling)
    {
        using var file = new TinyBert(stored);
        using var model = Model.Load(file.Path, Exact);
        using var embedder = new Embedder(model);
        Assert.Equal(pooling, embedder.Pooling);
        var ids = Ids(13, 5);
        var hidden = new float[ids.Length * TinyBert.Width]; // [tokens, width]
        using (var session = model.CreateSession())
            session.Step(ids, hidden);
        var expected = new float[TinyBert.Width];
        for (var i = 0; i < expected.Length; i++)
        {
            var column = Enumerable.Range(0, ids.Length).Select(t => hidden[(t * TinyBert.Width) + i]).ToArray();
            expected[i] = pooling switch { Pooling.Mean => column.Average(), Pooling.Cls => column[0], _ => column[^1] };
        }
        Assert.True(Cosine(expected, embedder.EmbedIds([ids], Cancellation)[0]) > 0.9999999);
    }

    [Fact]
    public void Embedder_OfATextModel_IsRefused()
    {
        using var file = new TinyLlama();
        using var model = Model.Load(file.Path, Exact);
        Assert.Contains("tiny is no encoder (llama)", Assert.Throws<NotSupportedException>(() => new Embedder(model)).Message);
    }

    [Fact]
    public void EmbedIds_OfNoTokens_IsRefused()
    {
        using var file = new TinyBert();
        using var model = Model.Load(file.Path, Exact);
        using var embedder = new Embedder(model);
        Assert.Throws<ArgumentException>(() => embedder.EmbedIds([[1], []], Cancellation));
    }

    private static int[] Ids(int count, int seed) => [.. Enumerable.Range(0, count).Select(i => ((i * 37) + (seed * 11)) % TinyBert.Vocabulary)];

    private static double Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var (dot, aa, bb) = (0.0, 0.0, 0.0);
        for (var i = 0; i < a.Length; i++)
        {
            dot += (double)a[i] * b[i];
            aa += (double)a[i] * a[i];
            bb += (double)b[i] * b[i];
        }
        return dot / Math.Sqrt(aa * bb);
    }
}
