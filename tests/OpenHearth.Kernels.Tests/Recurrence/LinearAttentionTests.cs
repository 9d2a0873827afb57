using OpenHearth.Kernels.Recurrence;
using OpenHearth.Kernels.Tests.Vectors;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Kernels.Tests.Recurrence;

public sealed unsafe class LinearAttentionTests
{
    private const int Tokens = 9;

    public static TheoryData<int, int, int, int, bool, bool, bool> Shapes { get; } = new()
    {
        { 1, 1, 1, 1, false, false, false },
        { 4, 2, 5, 3, true, false, false },
        { 4, 2, 16, 16, true, true, false },
        { 3, 3, 8, 33, true, false, true },
        { 2, 1, 7, 64, false, false, false },
        { 2, 1, 12, 100, true, false, true },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Kernel_OfAnyWidth_IsTheFormula(int heads, int keyHeads, int keyWidth, int valueWidth, bool delta, bool interleaved, bool decayPerKey)
    {
        var shape = Shape(heads, keyHeads, keyWidth, valueWidth, delta, interleaved);
        var input = new Input(shape, decayPerKey);
        var expected = input.Expected(shape);
        var y = new float[expected.Length];
        var state = new float[shape.StateLength];
        fixed (float* q = input.Q, k = input.K, v = input.V, d = input.Decay, r = input.Rate, s = input.Skip, ps = state, py = y)
        {
            var kernel = new LinearAttention.Kernel
            {
                Q = q,
                K = k,
                V = v,
                Decay = d,
                Rate = r,
                Skip = s,
                State = ps,
                Y = py,
                Tokens = Tokens,
                DecayWidth = decayPerKey ? keyWidth : 1,
                Shape = new LinearAttention.Sizes(shape),
            };
            EveryWidth.Run(kernel, heads * LinearAttention.TilesOf(shape), level =>
            {
                EveryWidth.AreClose(expected, y, 2e-6, level);
                state.AsSpan().Clear();
                y.AsSpan().Clear();
            });
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Forward_InPieces_IsTheWhole(int size)
    {
        using var pool = new ComputePool(2);
        var shape = Shape(6, 3, 20, 48, delta: true, interleaved: false);
        var input = new Input(shape, decayPerKey: false);
        float[] state = new float[shape.StateLength], other = new float[shape.StateLength];
        float[] whole = new float[input.V.Length], pieces = new float[input.V.Length];
        LinearAttention.Forward(pool, shape, input.Q, input.K, input.V, input.Decay, input.Rate, input.Skip, state, whole, Tokens);
        for (var t = 0; t < Tokens; t += size)
        {
            var count = Math.Min(size, Tokens - t);
            ReadOnlySpan<float> Part(float[] values) => values.AsSpan(t * (values.Length / Tokens), count * (values.Length / Tokens));
            var y = pieces.AsSpan(t * shape.Heads * shape.ValueWidth);
            LinearAttention.Forward(pool, shape, Part(input.Q), Part(input.K), Part(input.V), Part(input.Decay), Part(input.Rate), input.Skip, other, y, count);
        }
        Assert.Equal(whole, pieces);
        Assert.Equal(state, other);
    }

    [Fact]
    public void Forward_OverItsValues_IsTheSame()
    {
        using var pool = new ComputePool(3);
        var shape = Shape(4, 2, 64, 64, delta: true, interleaved: true);
        var input = new Input(shape, decayPerKey: true);
        float[] state = new float[shape.StateLength], other = new float[shape.StateLength], y = new float[input.V.Length];
        LinearAttention.Forward(pool, shape, input.Q, input.K, input.V, input.Decay, input.Rate, [], state, y, Tokens);
        LinearAttention.Forward(pool, shape, input.Q, input.K, input.V, input.Decay, input.Rate, [], other, input.V, Tokens);
        Assert.Equal(y, input.V);
    }

    private static LinearAttentionShape Shape(int heads, int keyHeads, int keyWidth, int valueWidth, bool delta, bool interleaved) =>
        new() { Heads = heads, KeyHeads = keyHeads, KeyWidth = keyWidth, ValueWidth = valueWidth, Delta = delta, Interleaved = interleaved };

    private sealed class Input
    {
        public Input(LinearAttentionShape shape, bool decayPerKey)
        {
            var scale = 1 / MathF.Sqrt(shape.KeyWidth);
            Q = EveryWidth.Random(1, Tokens * shape.KeyHeads * shape.KeyWidth, scale);
            K = EveryWidth.Random(2, Tokens * shape.KeyHeads * shape.KeyWidth, scale);
            V = EveryWidth.Random(3, Tokens * shape.Heads * shape.ValueWidth);
            Decay = [.. EveryWidth.Random(4, Tokens * shape.Heads * (decayPerKey ? shape.KeyWidth : 1), 0.3f).Select(value => 0.7f + value)];
            Rate = [.. EveryWidth.Random(5, Tokens * shape.Heads, 0.5f).Select(value => 0.5f + value)];
            Skip = EveryWidth.Random(6, shape.Heads);
        }

        public float[] Q { get; }

        public float[] K { get; }

        public float[] V { get; }

        public float[] Decay { get; }

        public float[] Rate { get; }

        public float[] Skip { get; }

        // The formula, in doubles and with the matrix in plain order.
        public double[] Expected(LinearAttentionShape shape)
        {
            var y = new double[Tokens * shape.Heads * shape.ValueWidth];
            for (var h = 0; h < shape.Heads; h++)
            {
                var s = new double[shape.KeyWidth, shape.ValueWidth];
                for (var t = 0; t < Tokens; t++)
                {
                    for (var j = 0; j < shape.ValueWidth; j++)
                        y[(((t * shape.Heads) + h) * shape.ValueWidth) + j] = Next(shape, s, h, t, j);
                }
            }
            return y;
        }

        private double Next(LinearAttentionShape shape, double[,] s, int h, int t, int j)
        {
            var keyHead = shape.Interleaved ? h % shape.KeyHeads : h * shape.KeyHeads / shape.Heads;
            var decayWidth = Decay.Length / (Tokens * shape.Heads);
            double At(float[] x, int i) => x[(((t * shape.KeyHeads) + keyHead) * shape.KeyWidth) + i];
            double v = V[(((t * shape.Heads) + h) * shape.ValueWidth) + j];
            var known = 0.0;
            for (var i = 0; i < shape.KeyWidth; i++)
            {
                s[i, j] *= Decay[(((t * shape.Heads) + h) * decayWidth) + (decayWidth == 1 ? 0 : i)];
                known += s[i, j] * At(K, i);
            }
            var u = Rate[(t * shape.Heads) + h] * (shape.Delta ? v - known : v);
            var sum = Skip[h] * v;
            for (var i = 0; i < shape.KeyWidth; i++)
            {
                s[i, j] += At(K, i) * u;
                sum += s[i, j] * At(Q, i);
            }
            return sum;
        }
    }
}
