using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul;
using OpenHearth.Kernels.Memory;
using OpenHearth.Kernels.Tests.Vectors;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Kernels.Tests.Attention;

public sealed class AttentionTests : IDisposable
{
    private readonly ComputePool _pool = new(2);
    private readonly AttentionWorkspace _workspace = new();
    private readonly List<NativeBuffer<byte>> _blocks = [];

    private static Dictionary<string, AttentionShape> Cases { get; } = new()
    {
        ["grouped"] = Shape(9, 3, 64),
        ["one head each"] = Shape(4, 4, 16),
        ["multi-query"] = Shape(7, 1, 24),
        ["odd width"] = Shape(2, 1, 5),
        ["wide values"] = Shape(4, 2, 16) with { ValueWidth = 40 },
        ["window"] = Shape(4, 2, 16) with { Window = 12 },
        ["chunk"] = Shape(4, 2, 16) with { Chunk = 24 },
        ["soft cap"] = Shape(4, 2, 16) with { SoftCap = 0.7f },
        ["values in keys"] = Shape(80, 1, 36) with { ValueWidth = 32, ValuesInKeys = true },
        ["both directions"] = Shape(4, 4, 16) with { Causal = false },
        ["window in both directions"] = Shape(4, 4, 16) with { Causal = false, Window = 9 },
    };

    public static TheoryData<string> Shapes { get; } = [.. Cases.Keys];

    public void Dispose()
    {
        _blocks.ForEach(block => block.Dispose());
        _workspace.Dispose();
        _pool.Dispose();
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Forward_OfWholePromptsAndSingleTokens_IsTheFormula(string name)
    {
        var shape = Cases[name];
        Check(shape, Both(CacheFormat.F32), past: 0, count: 1, 2e-6);
        Check(shape, Both(CacheFormat.F32), past: 0, count: 130, 2e-6);
        if (!shape.Causal)
            return;
        Check(shape, Both(CacheFormat.F32), past: 63, count: 1, 2e-6);
        Check(shape, Both(CacheFormat.F32), past: 100, count: 37, 2e-6);
        Check(shape, Both(CacheFormat.F32), past: 1300, count: 1, 2e-6);
        Check(shape, Both(CacheFormat.F32), past: 1300, count: 3, 2e-6);
        Check(shape, Both(CacheFormat.F16), past: 600, count: 1, 2e-3);
        Check(shape, Both(CacheFormat.F16), past: 0, count: 70, 2e-3);
        Check(shape, Both(CacheFormat.BF16), past: 90, count: 40, 1e-2);
        Check(shape, Both(CacheFormat.BF16), past: 1300, count: 1, 1e-2);
        Check(shape, Both(CacheFormat.BF16), past: 1300, count: 3, 1e-2, fits: true);
        Check(shape, Both(CacheFormat.BF16), past: 1300, count: 3, 2e-6, fits: true, precision: Precision.Exact);
        Check(shape, Both(CacheFormat.Q8_0), past: 600, count: 1, 2e-2);
        Check(shape, Both(CacheFormat.Q8_0), past: 0, count: 70, 2e-2);
        Check(shape, new CacheFormats(CacheFormat.Q8_0, CacheFormat.F32), past: 90, count: 40, 2e-2);
        Check(shape, new CacheFormats(CacheFormat.F16, CacheFormat.Q4_0), past: 90, count: 40, 0.2);
        Check(shape, new CacheFormats(CacheFormat.F32, CacheFormat.Q4_0), past: 600, count: 2, 0.4);
        Check(shape, Both(CacheFormat.Q4_0), past: 0, count: 70, 0.35);
    }

    [Theory]
    [InlineData(0, 200)]
    [InlineData(700, 1)]
    [InlineData(2500, 2)]
    public void Forward_WhereScoresPassTheirReferenceManyTimes_IsTheFormula(int past, int count)
    {
        // Later keys score higher: 0.1 a token, 6.4 a block of the cache.
        float[] rising = [0.1f, 0.1f, 0.25f, 0f];
        Check(Shape(4, 2, 16), Both(CacheFormat.F32), past, count, 2e-5, slopes: rising);
        Check(Shape(4, 2, 16) with { Scale = 20f }, Both(CacheFormat.F32), past, count, 2e-5);
    }

    [Theory]
    [InlineData(0, 50)]
    [InlineData(1100, 2)]
    public void Forward_WithSinksAndSlopes_IsTheFormula(int past, int count)
    {
        var shape = Shape(4, 2, 16);
        Check(shape, Both(CacheFormat.F32), past, count, 2e-6, sinks: [0.5f, -1f, 2f, 0f]);
        Check(shape, Both(CacheFormat.F32), past, count, 2e-6, slopes: [0.5f, 0.25f, 0.125f, 0.0625f]);
        Check(shape with { Window = 600 }, Both(CacheFormat.F32), past, count, 2e-6, [0.5f, -1f, 2f, 0f], [0.01f, 0.02f, 0.001f, 0f]);
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(1f)]
    [InlineData(-0.333333343f)]
    [InlineData(65504f)]
    [InlineData(6.1e-5f)]
    [InlineData(-5.96e-8f)]
    [InlineData(1.0009765f)]
    [InlineData(2048.5f)]
    public void HalfPrecision_OfOneValue_IsRoundedAsTheStandardSays(float value) =>
        Assert.Equal(BitConverter.HalfToUInt16Bits((Half)value), F16CacheFormat.FromSingle(value));

    private static float Bf16(float value) => BitConverter.UInt32BitsToSingle((uint)BF16.FromSingle(value) << 16);

    private static CacheFormats Both(CacheFormat format) => new(format, format);

    private static AttentionShape Shape(int heads, int keyHeads, int width) =>
        new() { Heads = heads, KeyHeads = keyHeads, KeyWidth = width, ValueWidth = width, Scale = 1 / MathF.Sqrt(width) };

    private void Check(AttentionShape shape, CacheFormats format, int past, int count, double tolerance, float[]? sinks = null, float[]? slopes = null, bool fits = false, Precision precision = Precision.Fast)
    {
        var total = past + count;
        var q = EveryWidth.Random(1, count * shape.Heads * shape.KeyWidth, 2);
        var k = EveryWidth.Random(2, total * shape.KeyHeads * shape.KeyWidth, 2);
        var v = shape.ValuesInKeys ? [] : EveryWidth.Random(3, total * shape.KeyHeads * shape.ValueWidth);
        if (fits) // the cache has nothing to round
            (k, v) = ([.. k.Select(Bf16)], [.. v.Select(Bf16)]);
        const long Slot = 128, Waiting = 64;
        var blocks = new MemoryRegion[(total + 63) / 64];
        foreach (ref var block in blocks.AsSpan())
        {
            _blocks.Add(new NativeBuffer<byte>(Slot + format.BlockBytes(shape)));
            _blocks[^1].Span.Fill(0x7F); // what is left of others must not show
            block = MemoryRegion.Of(_blocks[^1]);
        }
        _blocks.Add(new NativeBuffer<byte>(Waiting + format.WaitingBytes(shape)));
        var waiting = MemoryRegion.Of(_blocks[^1]);
        var place = new CachePlace(Slot, Waiting);
        OpenHearth.Kernels.Attention.Attention.Store(_pool, shape, format, place, [new AttentionRun(blocks, 0, total, 0, waiting)], k, v);
        // The run comes second in the step, after 2 rows of another.
        var other = new AttentionRun(blocks, 0, 2, 0, waiting);
        float[] queries = [.. new float[2 * shape.Heads * shape.KeyWidth], .. q];
        var y = new float[(count + 2) * shape.Heads * shape.ValueWidth];
        OpenHearth.Kernels.Attention.Attention.Forward(_pool, _workspace, shape, format, place, [other, new AttentionRun(blocks, 2, count, past, waiting)], queries, sinks ?? [], slopes ?? [], y, precision);
        var expected = new double[count * shape.Heads * shape.ValueWidth];
        for (var t = 0; t < count; t++)
        {
            for (var h = 0; h < shape.Heads; h++)
                Formula(shape, q, k, v, past, count, t, h, sinks?[h], slopes?[h] ?? 0).CopyTo(expected, ((t * shape.Heads) + h) * shape.ValueWidth);
        }
        EveryWidth.AreClose(expected, y.AsSpan(2 * shape.Heads * shape.ValueWidth), tolerance, $"{format.Name}, {past} + {count}");
    }

    internal static double[] Formula(AttentionShape shape, float[] q, float[] k, float[] v, int past, int count, int t, int h, float? sink, float slope)
    {
        var position = past + t;
        var head = h / shape.Group;
        var weights = new double[past + count];
        for (var j = 0; j < weights.Length; j++)
        {
            var visible = (!shape.Causal || j <= position) && (shape.Window == 0 || Math.Abs(position - j) < shape.Window) && (shape.Chunk == 0 || j / shape.Chunk == position / shape.Chunk);
            var score = 0.0;
            for (var i = 0; i < shape.KeyWidth; i++)
                score += (double)q[(((t * shape.Heads) + h) * shape.KeyWidth) + i] * k[(((j * shape.KeyHeads) + head) * shape.KeyWidth) + i];
            score *= shape.Scale;
            if (shape.SoftCap > 0)
                score = shape.SoftCap * Math.Tanh(score / shape.SoftCap);
            weights[j] = visible ? Math.Exp(score - (slope * (position - j))) : 0;
        }
        var total = weights.Sum() + (sink is { } s ? Math.Exp(s) : 0);
        var result = new double[shape.ValueWidth];
        for (var j = 0; j < weights.Length; j++)
        {
            for (var i = 0; i < shape.ValueWidth; i++)
                result[i] += weights[j] / total * (shape.ValuesInKeys ? k[(((j * shape.KeyHeads) + head) * shape.KeyWidth) + i] : v[(((j * shape.KeyHeads) + head) * shape.ValueWidth) + i]);
        }
        return result;
    }
}
