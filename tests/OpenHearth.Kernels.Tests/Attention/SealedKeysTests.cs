using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.Elementwise;
using OpenHearth.Kernels.MatMul;
using OpenHearth.Kernels.Memory;
using OpenHearth.Kernels.Tests.Vectors;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Kernels.Tests.Attention;

/// <summary>Keys that are rounded a block at a time, against a twin that does so value by value.</summary>
public sealed unsafe class SealedKeysTests : IDisposable
{
    private const int Tokens = CacheFormat.BlockTokens;

    private readonly ComputePool _pool = new(2);
    private readonly AttentionWorkspace _workspace = new();
    private readonly List<NativeBuffer<byte>> _memory = [];

    public static MatrixTheoryData<int, string, int> Blocks { get; } = new([1, 2, 5, 16, 31, 33, 64, 129], ["", "neighbours", "halves"], [0, 1]);

    public static MatrixTheoryData<string, int, int> Runs { get; } = new(
        ["grouped", "odd", "window", "values in keys"], [0, 1, 63, 64, 100, 127, 1300], [1, 2, 70]);

    public void Dispose()
    {
        _memory.ForEach(block => block.Dispose());
        _workspace.Dispose();
        _pool.Dispose();
    }

    [Theory]
    [MemberData(nameof(Blocks))]
    public void Seal_OfABlock_IsTheTwin(int width, string turning, int first)
    {
        var turn = Turns.Of(turning, width);
        using var waiting = new NativeBuffer<byte>(CacheFormat.F16.PlaneBytes(width));
        using var plane = new NativeBuffer<byte>(CacheFormat.Q4_0.PlaneBytes(width));
        using var scratch = new NativeBuffer<float>((long)width * Tokens);
        plane.Span.Fill(0x7F); // what is left of others must not show
        float[][] keys = [.. Enumerable.Range(0, Tokens).Select(t => Row(t, width))];
        for (var t = 0; t < Tokens; t++)
        {
            fixed (float* key = keys[t])
                CacheFormat.Q4_0.StoreKey(key, waiting.Pointer, t, width);
        }
        CacheFormat.Q4_0.SealKeys(waiting.Pointer, plane.Pointer, width, turn?.Kernel, first);
        var loaded = CacheFormat.Q4_0.LoadKeys(plane.Pointer, width, scratch.Pointer);
        var expected = Block(keys, turn, first);
        for (var t = first; t < Tokens; t++)
        {
            for (var i = 0; i < width; i++)
                Assert.True(expected[t][i].Equals(loaded[(i * Tokens) + t]), $"token {t}, value {i}: {loaded[(i * Tokens) + t]}, expected {expected[t][i]}");
        }
    }

    [Fact]
    public void Seal_OfValuesInARange_IsOffByHalfAStepAtMost()
    {
        const int Width = 32;
        using var waiting = new NativeBuffer<byte>(CacheFormat.F16.PlaneBytes(Width));
        using var plane = new NativeBuffer<byte>(CacheFormat.Q4_0.PlaneBytes(Width));
        using var scratch = new NativeBuffer<float>(Width * Tokens);
        for (var t = 0; t < Tokens; t++)
        {
            var row = EveryWidth.Random(t, Width).Select((value, i) => value + (10 * i)).ToArray(); // channels that are large in all tokens
            fixed (float* key = row)
                CacheFormat.Q4_0.StoreKey(key, waiting.Pointer, t, Width);
        }
        CacheFormat.Q4_0.SealKeys(waiting.Pointer, plane.Pointer, Width, null, 0);
        CacheFormat.Q4_0.LoadKeys(plane.Pointer, Width, scratch.Pointer);
        for (var t = 0; t < Tokens; t++)
        {
            var row = EveryWidth.Random(t, Width);
            for (var i = 0; i < Width; i++)
                Assert.Equal(row[i] + (10 * i), scratch.Span[(i * Tokens) + t], 0.07 + (10 * i * 0.001)); // 2 / 15 / 2, and what half precision rounds
        }
    }

    [Theory]
    [InlineData("neighbours")]
    [InlineData("halves")]
    public void Turn_BackAndForth_IsTheFormulaAtEveryWidth_AndGivesTheSameBits(string turning)
    {
        const int Width = 13;
        var turn = Turns.Of(turning, Width)!;
        var keys = EveryWidth.Random(5, Width * Tokens, 3);
        using var there = new NativeBuffer<float>(keys.Length);
        float[]? first = null;
        EveryWidth.Run(new Whole { Turn = turn.Kernel, Keys = there.Pointer, Source = keys }, 1, width =>
        {
            first ??= there.Span.ToArray();
            Assert.Equal(first, there.Span.ToArray());
        });
        for (var t = 0; t < Tokens; t++)
        {
            var expected = Enumerable.Range(0, Width).Select(i => (double)keys[(i * Tokens) + t]).ToArray();
            foreach (var (pair, x, y) in turn.Pairs)
            {
                var (a, b, angle) = (expected[x], expected[y], t * (double)turn.Frequencies[pair]);
                (expected[x], expected[y]) = ((a * Math.Cos(angle)) - (b * Math.Sin(angle)), (a * Math.Sin(angle)) + (b * Math.Cos(angle)));
            }
            for (var i = 0; i < Width; i++)
                Assert.Equal(expected[i], first![(i * Tokens) + t], 1e-5);
        }
        fixed (float* back = first)
        {
            foreach (var (pair, x, y) in turn.Pairs)
                turn.Kernel.Back(pair, back + (x * Tokens), back + (y * Tokens));
        }
        for (var i = 0; i < keys.Length; i++)
            Assert.Equal(keys[i], first![i], 1e-5f);
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Forward_BehindAnyPast_IsTheFormulaOnTheTwin(string name, int past, int count)
    {
        var shape = name switch
        {
            "grouped" => Shape(6, 2, 16),
            "odd" => Shape(2, 1, 5),
            "window" => Shape(4, 2, 16) with { Window = 50 },
            _ => Shape(3, 1, 12) with { ValueWidth = 8, ValuesInKeys = true },
        };
        var turn = Turns.Of("halves", shape.KeyWidth)!;
        var total = past + count;
        var (q, k) = (EveryWidth.Random(1, count * shape.Heads * shape.KeyWidth, 2), Keys(total, shape));
        var v = shape.ValuesInKeys ? [] : EveryWidth.Random(3, total * shape.KeyHeads * shape.ValueWidth);
        var (blocks, waiting, place) = Room(shape, total, turn);
        OpenHearth.Kernels.Attention.Attention.Store(_pool, shape, Formats, place, [new AttentionRun(blocks, 0, total, 0, waiting)], k, v);
        var y = new float[count * shape.Heads * shape.ValueWidth];
        OpenHearth.Kernels.Attention.Attention.Forward(_pool, _workspace, shape, Formats, place, [new AttentionRun(blocks, 0, count, past, waiting)], q, [], [], y, Precision.Fast);
        var rounded = Sequence(k, shape, total, turn);
        var expected = new double[y.Length];
        for (var t = 0; t < count; t++)
        {
            for (var h = 0; h < shape.Heads; h++)
                AttentionTests.Formula(shape, q, rounded, v, past, count, t, h, null, 0).CopyTo(expected, ((t * shape.Heads) + h) * shape.ValueWidth);
        }
        EveryWidth.AreClose(expected, y, 1e-5, $"{past} + {count}");
    }

    [Fact]
    public void Store_InStepsOfAnySize_GivesTheSameBytes()
    {
        var shape = Shape(6, 3, 16);
        const int Total = 210;
        var k = Keys(Total, shape);
        var v = EveryWidth.Random(3, Total * shape.KeyHeads * shape.ValueWidth);
        byte[]? first = null;
        foreach (var step in new[] { 210, 1, 7, 64, 65 })
        {
            var (blocks, waiting, place) = Room(shape, Total, Turns.Of("neighbours", 16)!);
            for (var past = 0; past < Total; past += step)
            {
                var count = Math.Min(step, Total - past);
                OpenHearth.Kernels.Attention.Attention.Store(
                    _pool, shape, Formats, place, [new AttentionRun(blocks, 0, count, past, waiting)],
                    k.AsSpan(past * shape.KeyHeads * shape.KeyWidth), v.AsSpan(past * shape.KeyHeads * shape.ValueWidth));
            }
            byte[] bytes = [.. blocks[..3].SelectMany(block => block.Span(0, (int)block.Length).ToArray()), .. waiting.Span(0, (int)waiting.Length)];
            first ??= bytes;
            Assert.Equal(first, bytes);
        }
    }

    [Fact]
    public void Store_WhereKeysHaveNowhereToWait_IsRefused()
    {
        var shape = Shape(2, 1, 16);
        var (blocks, waiting, place) = Room(shape, 1, Turns.Of("halves", 16)!);
        var keys = new float[16];
        void Store(MemoryRegion region, CachePlace at) =>
            OpenHearth.Kernels.Attention.Attention.Store(_pool, shape, Formats, at, [new AttentionRun(blocks, 0, 1, 0, region)], keys, keys);
        Assert.Contains("waiting keys", Assert.Throws<ArgumentException>(() => Store(waiting.Slice(0, waiting.Length - 1), place)).Message, StringComparison.Ordinal);
        Assert.Contains("are to turn", Assert.Throws<ArgumentException>(() => Store(waiting, place with { Turn = new KeyTurn(new float[8], 1, RotaryPairing.Halves) })).Message, StringComparison.Ordinal);
        Store(waiting, place);
    }

    private static CacheFormats Formats => new(CacheFormat.Q4_0, CacheFormat.F32);

    private static AttentionShape Shape(int heads, int keyHeads, int width) =>
        new() { Heads = heads, KeyHeads = keyHeads, KeyWidth = width, ValueWidth = width, Scale = 1 / MathF.Sqrt(width) };

    // The first key is far larger than others, as in models.
    private static float[] Keys(int tokens, AttentionShape shape)
    {
        var keys = EveryWidth.Random(2, tokens * shape.KeyHeads * shape.KeyWidth, 2);
        for (var i = 0; i < shape.KeyHeads * shape.KeyWidth; i++)
            keys[i] *= 10;
        return keys;
    }

    private (MemoryRegion[] Blocks, MemoryRegion Waiting, CachePlace Place) Room(AttentionShape shape, int tokens, Turns turn)
    {
        MemoryRegion Take(long bytes)
        {
            _memory.Add(new NativeBuffer<byte>(bytes));
            _memory[^1].Span.Fill(0x7F);
            return MemoryRegion.Of(_memory[^1]);
        }
        MemoryRegion[] blocks = [.. Enumerable.Range(0, (tokens + 63) / 64).Select(_ => Take(128 + Formats.BlockBytes(shape)))];
        return (blocks, Take(64 + Formats.WaitingBytes(shape)), new CachePlace(128, 64, turn.Kernel));
    }

    // Large and tiny tokens, zeros, values that half precision doesn't hold.
    private static float[] Row(int token, int width)
    {
        var row = EveryWidth.Random(token + 1, width, (token % 8) switch { 0 => 0, 1 => 1e-7f, 2 => width % 2 == 0 ? 3e5f : 3, 3 => 100, _ => 1 });
        row[token % width] = (token % 16) switch { 4 => float.PositiveInfinity, 5 => float.NegativeInfinity, 6 => 1e-42f, 7 => float.NaN, _ => row[token % width] };
        return row;
    }

    // [tokens, keyHeads, keyWidth] as they are read again when all have been stored
    private static float[] Sequence(float[] keys, AttentionShape shape, int tokens, Turns turn)
    {
        var result = keys.Select(Half).ToArray();
        Span<float> Key(int token, int head) => result.AsSpan(((token * shape.KeyHeads) + head) * shape.KeyWidth, shape.KeyWidth);
        for (var head = 0; head < shape.KeyHeads; head++)
        {
            for (var from = 0; from + Tokens <= tokens; from += Tokens)
            {
                var block = Block([.. Enumerable.Range(from, Tokens).Select(t => Key(t, head).ToArray())], turn, from == 0 ? 1 : 0);
                for (var t = from == 0 ? 1 : 0; t < Tokens; t++)
                {
                    foreach (var (pair, x, y) in turn.Pairs)
                        (block[t][x], block[t][y]) = turn.Turned(block[t][x], block[t][y], pair, t);
                    block[t].CopyTo(Key(from + t, head));
                }
            }
        }
        return result;
    }

    // [64 tokens][width] turned back and rounded
    private static float[][] Block(float[][] keys, Turns? turn, int first)
    {
        float[][] block = [.. keys.Select(key => key.Select(Half).ToArray())];
        for (var t = 0; t < Tokens; t++)
        {
            foreach (var (pair, x, y) in turn?.Pairs ?? [])
                (block[t][x], block[t][y]) = turn!.Turned(block[t][x], block[t][y], pair, -t);
        }
        for (var i = 0; i < keys[0].Length; i++)
        {
            var seen = block.Skip(first).Select(key => key[i]).ToArray();
            var step = Half((seen.Max() - seen.Min()) / 15);
            var minimum = Half(seen.Min());
            foreach (var key in block)
                key[i] = step == 0 ? minimum : minimum + (step * Math.Clamp(MathF.Round((key[i] - minimum) * (1 / step)), 0, 15));
        }
        return block;
    }

    private static float Half(float value) => float.IsNaN(value) ? MathF.CopySign(65504, value) : (float)(Half)Math.Clamp(value, -65504f, 65504f);

    // What turns, said once more: all but the first value of a key and a last odd one.
    private sealed class Turns(KeyTurn kernel, float[] frequencies, RotaryPairing pairing)
    {
        public KeyTurn Kernel => kernel;

        public float[] Frequencies => frequencies;

        public IEnumerable<(int Pair, int X, int Y)> Pairs => Enumerable.Range(0, frequencies.Length)
            .Select(pair => pairing == RotaryPairing.Neighbours ? (pair, (2 * pair) + 1, (2 * pair) + 2) : (pair, pair + 1, pair + 1 + frequencies.Length));

        public static Turns? Of(string pairing, int width)
        {
            if (pairing.Length == 0)
                return null;
            float[] frequencies = [.. Enumerable.Range(0, (width - 1) / 2).Select(pair => MathF.Pow(0.3f, pair))];
            var which = pairing == "halves" ? RotaryPairing.Halves : RotaryPairing.Neighbours;
            return new Turns(new KeyTurn(frequencies, 1, which), frequencies, which);
        }

        public (float X, float Y) Turned(float x, float y, int pair, int tokens)
        {
            var (sine, cosine) = Math.SinCos(tokens * (double)frequencies[pair]);
            var (s, c) = ((float)sine, (float)cosine);
            return ((x * c) - (y * s), (y * c) + (x * s));
        }
    }

    private struct Whole : OpenHearth.Kernels.Vectors.IRowKernel
    {
        public KeyTurn Turn;
        public float* Keys;
        public float[] Source;

        public readonly void Run<TSimd, TVector>(int first, int end) where TSimd : struct, OpenHearth.Kernels.Vectors.ISimd<TVector> where TVector : struct
        {
            Source.CopyTo(new Span<float>(Keys, Source.Length));
            new KeyTurn.Forth { Turn = Turn, Keys = Keys }.Run<TSimd, TVector>(0, Turn.Pairs);
        }
    }
}
