using OpenHearth.Kernels.Cpu;

namespace OpenHearth.Engine.Tests.Architectures;

/// <summary>
/// What every architecture must show: the logits of tiny models of ../shared/fixtures/architectures, computed by transformers.
/// An architecture's test class names its folders and forms, as in <c>llama/gguf</c>.
/// </summary>
public abstract class ArchitectureTests(params string[] cases)
{
    private static readonly ModelOptions Fast = new() { Threads = 2 };
    private static readonly ModelOptions Exact = new() { Exact = true, Threads = 2 };

    [Fact]
    public void Logits_OfAllIdsAtOnce_AreTheReference() => ForEach((fixture, path) =>
    {
        using var model = Model.Load(path, Exact);
        using var session = model.CreateSession();
        var logits = new float[fixture.Expected.Length];
        session.Step(fixture.Ids, logits);
        Assert.True(fixture.Error(logits) <= 1e-4, $"{path}: error {fixture.Error(logits):E1} of the standard deviation");
    });

    [Fact]
    public void Logits_AtEveryLevel_AreTheReference() => ForEach((fixture, path) =>
    {
        foreach (var level in CpuFeatures.Available)
        {
            var logits = Logits(path, Exact, level, fixture);
            Assert.True(fixture.Error(logits) <= 1e-4, $"{path}, {level}: error {fixture.Error(logits):E1} of the standard deviation");
        }
    });

    [Fact]
    public void Logits_Fast_AtEveryLevel_AreCloseToTheReference() => ForEach((fixture, path) =>
    {
        foreach (var level in CpuFeatures.Available)
        {
            var logits = Logits(path, Fast, level, fixture);
            // The median, since rounding may choose another expert for a few tokens of such small models.
            var rows = Enumerable.Range(0, fixture.Ids.Length).Select(row => new Range(row * fixture.Width, (row + 1) * fixture.Width));
            var errors = rows.Select(row => LogitComparison.Error(fixture.Expected.AsSpan(row), logits.AsSpan(row))).Order().ToList();
            Assert.True(errors[errors.Count / 2] <= 0.2, $"{path}, {level}: error {errors[errors.Count / 2]:E1} of the standard deviation in the median row");
        }
    });

    private static float[] Logits(string path, ModelOptions options, CpuLevel level, ArchitectureFixture fixture)
    {
        using var model = Model.Load(path, options, fuse: true, level);
        using var session = model.CreateSession();
        var logits = new float[fixture.Expected.Length];
        session.Step(fixture.Ids, logits);
        return logits;
    }

    [Fact]
    public void Logits_InPieces_AreThoseOfTheWhole() => ForEach((fixture, path) =>
    {
        using var model = Model.Load(path, Exact);
        if (!model.Info.GivesLogits)
        {
            CheckThatPiecesAreRefused(model, fixture.Ids);
            return;
        }
        float[] Whole(int length)
        {
            var results = new float[length * fixture.Width];
            using var session = model.CreateSession();
            if (length > 0)
                session.Step(fixture.Ids.AsSpan(0, length), results);
            return results;
        }
        // Where keys turn by other angles beyond some length, pieces within it are those of a whole that ends there.
        var (whole, within) = (Whole(fixture.Ids.Length), Whole(fixture.OriginalLength));
        foreach (var size in (int[])[1, 7, 16])
        {
            var pieces = new float[whole.Length];
            var expected = whole.ToArray();
            using var session = model.CreateSession();
            for (var i = 0; i < fixture.Ids.Length; i += size)
            {
                var count = Math.Min(size, fixture.Ids.Length - i);
                session.Step(fixture.Ids.AsSpan(i, count), pieces.AsSpan(i * fixture.Width, count * fixture.Width));
                if (i + count <= fixture.OriginalLength)
                    within.AsSpan(i * fixture.Width, count * fixture.Width).CopyTo(expected.AsSpan(i * fixture.Width));
            }
            var error = LogitComparison.Error(expected, pieces);
            Assert.True(error <= 1e-5, $"{path}, {size} at a time: error {error:E1} of the standard deviation");
        }
    });

    [Fact]
    public void Logits_WithoutFusions_AreTheSame() => ForEach((fixture, path) =>
    {
        var results = new float[2][];
        for (var fuse = 0; fuse < 2; fuse++)
        {
            using var model = Model.Load(path, Exact, fuse == 1);
            using var session = model.CreateSession();
            session.Step(fixture.Ids, results[fuse] = new float[fixture.Expected.Length]);
        }
        var error = LogitComparison.Error(results[0], results[1]);
        Assert.True(error <= 1e-6, $"{path}: error {error:E1} of the standard deviation");
    });

    [Fact]
    public void GreedyContinuation_WhereTheMarginIsWide_IsTheReference() => ForEach((fixture, path) =>
    {
        if (fixture.GreedyIds.Length == 0)
            return;
        using var model = Model.Load(path, Exact);
        using var session = model.CreateSession();
        var logits = session.Step(fixture.Ids.AsSpan(0, fixture.GreedyPrompt));
        for (var i = 0; i < fixture.GreedyIds.Length; i++)
        {
            var best = LogitComparison.Best(logits);
            Assert.True(best == fixture.GreedyIds[i] || fixture.GreedyMargins[i] <= 1e-3, $"{path}: token {i} is {best}, not {fixture.GreedyIds[i]}");
            logits = session.Step([fixture.GreedyIds[i]]);
        }
    });

    [Fact]
    public void Tensors_OfTheFile_AreAllUsed() => ForEach((_, path) =>
    {
        using var model = Model.Load(path, Exact);
        Assert.Empty(model.UnusedTensors);
    });

    private static void CheckThatPiecesAreRefused(Model encoder, int[] ids)
    {
        using var session = encoder.CreateSession();
        session.Step(ids.AsSpan(0, 7));
        var refusal = Assert.Throws<NotSupportedException>(() => session.Step(ids.AsSpan(7)));
        Assert.EndsWith($"{ids.Length - 7} tokens can't follow 7.", refusal.Message, StringComparison.Ordinal);
    }

    private void ForEach(Action<ArchitectureFixture, string> check)
    {
        foreach (var entry in cases)
        {
            var slash = entry.IndexOf('/', StringComparison.Ordinal);
            var fixture = new ArchitectureFixture(entry[..slash]);
            check(fixture, fixture.Form(entry[(slash + 1)..]));
        }
    }
}
