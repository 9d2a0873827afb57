using System.Runtime.CompilerServices;
using OpenHearth.Kernels.Elementwise;
using OpenHearth.Kernels.Threading;
using OpenHearth.Kernels.Vectors;

namespace OpenHearth.Kernels.Recurrence;

/// <summary>
/// Linear attention with decay, token by token and head by head: S = diag(d) · S + k · uᵀ, then y = Sᵀ · q + skip · v. Without the delta
/// rule u = rate · v, which is the state space of Mamba 2 (Dao and Gu, "Transformers are SSMs", 2024: k is B, q is C, rate is Δ);
/// with it u = rate · (v - (diag(d) · S)ᵀ · k), which is Gated DeltaNet (Yang et al., 2024) or, with a decay
/// for each value of the key, Kimi Delta Attention (2025).
/// </summary>
public static unsafe class LinearAttention
{
    // Columns of a matrix know nothing of each other. So many are kept together in memory: a tile of 128 keys takes 16 KB.
    private const int TileWidth = 32;

    /// <summary>Attends from tokens of one sequence and leaves the state as it is after them.</summary>
    /// <param name="pool">Runs the parts.</param>
    /// <param name="shape">The layer.</param>
    /// <param name="q">[tokens, keyHeads · keyWidth]</param>
    /// <param name="k">[tokens, keyHeads · keyWidth]</param>
    /// <param name="v">[tokens, heads · valueWidth]</param>
    /// <param name="decay">[tokens, heads], or [tokens, heads · keyWidth]</param>
    /// <param name="rate">[tokens, heads]</param>
    /// <param name="skip">[heads], or empty for 0</param>
    /// <param name="state">[<see cref="LinearAttentionShape.StateLength"/>] in an order of this kernel's own; zeros at the start of a sequence</param>
    /// <param name="y">[tokens, heads · valueWidth]; may be <paramref name="v"/></param>
    /// <param name="tokens">Number of tokens.</param>
    public static void Forward(
        ComputePool pool, LinearAttentionShape shape, ReadOnlySpan<float> q, ReadOnlySpan<float> k, ReadOnlySpan<float> v,
        ReadOnlySpan<float> decay, ReadOnlySpan<float> rate, ReadOnlySpan<float> skip, Span<float> state, Span<float> y, int tokens)
    {
        if (shape.Heads % shape.KeyHeads != 0)
            throw new ArgumentException($"{shape.Heads} heads can't share {shape.KeyHeads} key heads.", nameof(shape));
        var decayWidth = decay.Length == tokens * shape.Heads ? 1 : shape.KeyWidth;
        Check.Rows(q.Length, tokens, shape.KeyHeads * shape.KeyWidth);
        Check.Rows(k.Length, tokens, shape.KeyHeads * shape.KeyWidth);
        Check.Rows(v.Length, tokens, shape.Heads * shape.ValueWidth);
        Check.Rows(y.Length, tokens, shape.Heads * shape.ValueWidth);
        Check.Rows(decay.Length, tokens, shape.Heads * decayWidth);
        Check.Rows(rate.Length, tokens, shape.Heads);
        Check.Row(skip.Length, shape.Heads);
        Check.Rows(state.Length, shape.Heads * shape.KeyWidth, shape.ValueWidth);
        var tiles = TilesOf(shape);
        fixed (float* pq = q, pk = k, pv = v, pd = decay, pr = rate, pskip = skip, ps = state, py = y)
        {
            var kernel = new Kernel
            {
                Q = pq,
                K = pk,
                V = pv,
                Decay = pd,
                Rate = pr,
                Skip = pskip,
                State = ps,
                Y = py,
                Tokens = tokens,
                DecayWidth = decayWidth,
                Shape = new Sizes(shape),
            };
            RowKernel.Run(pool, kernel, shape.Heads * tiles, (int)Math.Min(int.MaxValue, (long)tokens * shape.KeyWidth * Math.Min(TileWidth, shape.ValueWidth)));
        }
    }

    /// <summary>Tiles that a head's matrix is cut into.</summary>
    internal static int TilesOf(LinearAttentionShape shape) => (shape.ValueWidth + TileWidth - 1) / TileWidth;

    /// <summary>A row of it is one tile of one head.</summary>
    internal struct Kernel : IRowKernel
    {
        public float* Q; // [tokens, keyHeads, keyWidth]
        public float* K; // [tokens, keyHeads, keyWidth]
        public float* V; // [tokens, heads, valueWidth]
        public float* Decay; // [tokens, heads, decayWidth]
        public float* Rate; // [tokens, heads]
        public float* Skip; // [heads] or null
        public float* State; // [heads, tiles, keyWidth, width of the tile]
        public float* Y; // [tokens, heads, valueWidth]
        public int Tokens;
        public int DecayWidth; // 1 or keyWidth
        public Sizes Shape;

        public readonly void Run<TSimd, TVector>(int first, int end) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            var tiles = (Shape.ValueWidth + TileWidth - 1) / TileWidth;
            for (var r = first; r < end; r++)
                RunTile<TSimd, TVector>(r / tiles, r % tiles * TileWidth);
        }

        private readonly void RunTile<TSimd, TVector>(int head, int column) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            var width = Math.Min(TileWidth, Shape.ValueWidth - column);
            var s = State + ((long)head * Shape.KeyWidth * Shape.ValueWidth) + ((long)column * Shape.KeyWidth);
            var keyHead = Shape.Interleaved ? head % Shape.KeyHeads : head / (Shape.Heads / Shape.KeyHeads);
            for (var t = 0L; t < Tokens; t++)
            {
                var token = new Token
                {
                    Q = Q + (((t * Shape.KeyHeads) + keyHead) * Shape.KeyWidth),
                    K = K + (((t * Shape.KeyHeads) + keyHead) * Shape.KeyWidth),
                    Decay = Decay + (((t * Shape.Heads) + head) * DecayWidth),
                    Rate = Rate[(t * Shape.Heads) + head],
                    Skip = Skip == null ? 0f : Skip[head],
                };
                var v = V + (((t * Shape.Heads) + head) * Shape.ValueWidth) + column;
                var y = Y + (((t * Shape.Heads) + head) * Shape.ValueWidth) + column;
                var c = 0;
                for (; c <= width - (4 * TSimd.Count); c += 4 * TSimd.Count)
                    FourVectors<TSimd, TVector>(token, s + c, width, v + c, y + c);
                for (; c <= width - TSimd.Count; c += TSimd.Count)
                    OneVector<TSimd, TVector>(token, s + c, width, v + c, y + c);
                for (; c < width; c++)
                    OneVector<SimdScalar, float>(token, s + c, width, v + c, y + c);
            }
        }

        private readonly void OneVector<TSimd, TVector>(in Token token, float* s, int stride, float* v, float* y) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            var perKey = DecayWidth == 1 ? 0 : 1;
            var u = TSimd.Broadcast(0f);
            if (Shape.Delta)
            {
                for (var i = 0; i < Shape.KeyWidth; i++)
                    u = TSimd.MultiplyAdd(TSimd.Load(s + ((long)i * stride)), TSimd.Broadcast(token.K[i] * token.Decay[i * perKey]), u);
            }
            u = TSimd.Multiply(TSimd.Subtract(TSimd.Load(v), u), TSimd.Broadcast(token.Rate));
            var sum = TSimd.Multiply(TSimd.Load(v), TSimd.Broadcast(token.Skip));
            for (var i = 0; i < Shape.KeyWidth; i++)
                sum = Update<TSimd, TVector>(s + ((long)i * stride), TSimd.Broadcast(token.Decay[i * perKey]), TSimd.Broadcast(token.K[i]), u, TSimd.Broadcast(token.Q[i]), sum);
            TSimd.Store(sum, y);
        }

        // The same four times over: one sum alone would wait for its own last addition.
        private readonly void FourVectors<TSimd, TVector>(in Token token, float* s, int stride, float* v, float* y) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            var n = TSimd.Count;
            var perKey = DecayWidth == 1 ? 0 : 1;
            var zero = TSimd.Broadcast(0f);
            TVector u0 = zero, u1 = zero, u2 = zero, u3 = zero;
            if (Shape.Delta)
            {
                for (var i = 0; i < Shape.KeyWidth; i++)
                {
                    var row = s + ((long)i * stride);
                    var k = TSimd.Broadcast(token.K[i] * token.Decay[i * perKey]);
                    u0 = TSimd.MultiplyAdd(TSimd.Load(row), k, u0);
                    u1 = TSimd.MultiplyAdd(TSimd.Load(row + n), k, u1);
                    u2 = TSimd.MultiplyAdd(TSimd.Load(row + (2 * n)), k, u2);
                    u3 = TSimd.MultiplyAdd(TSimd.Load(row + (3 * n)), k, u3);
                }
            }
            var rate = TSimd.Broadcast(token.Rate);
            u0 = TSimd.Multiply(TSimd.Subtract(TSimd.Load(v), u0), rate);
            u1 = TSimd.Multiply(TSimd.Subtract(TSimd.Load(v + n), u1), rate);
            u2 = TSimd.Multiply(TSimd.Subtract(TSimd.Load(v + (2 * n)), u2), rate);
            u3 = TSimd.Multiply(TSimd.Subtract(TSimd.Load(v + (3 * n)), u3), rate);
            var skip = TSimd.Broadcast(token.Skip);
            var y0 = TSimd.Multiply(TSimd.Load(v), skip);
            var y1 = TSimd.Multiply(TSimd.Load(v + n), skip);
            var y2 = TSimd.Multiply(TSimd.Load(v + (2 * n)), skip);
            var y3 = TSimd.Multiply(TSimd.Load(v + (3 * n)), skip);
            for (var i = 0; i < Shape.KeyWidth; i++)
            {
                var row = s + ((long)i * stride);
                var d = TSimd.Broadcast(token.Decay[i * perKey]);
                var k = TSimd.Broadcast(token.K[i]);
                var q = TSimd.Broadcast(token.Q[i]);
                y0 = Update<TSimd, TVector>(row, d, k, u0, q, y0);
                y1 = Update<TSimd, TVector>(row + n, d, k, u1, q, y1);
                y2 = Update<TSimd, TVector>(row + (2 * n), d, k, u2, q, y2);
                y3 = Update<TSimd, TVector>(row + (3 * n), d, k, u3, q, y3);
            }
            TSimd.Store(y0, y);
            TSimd.Store(y1, y + n);
            TSimd.Store(y2, y + (2 * n));
            TSimd.Store(y3, y + (3 * n));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static TVector Update<TSimd, TVector>(float* row, TVector d, TVector k, TVector u, TVector q, TVector sum) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            var next = TSimd.MultiplyAdd(u, k, TSimd.Multiply(TSimd.Load(row), d));
            TSimd.Store(next, row);
            return TSimd.MultiplyAdd(next, q, sum);
        }
    }

    /// <summary>A shape without its object, for loops.</summary>
    internal readonly struct Sizes(LinearAttentionShape shape)
    {
        public readonly int Heads = shape.Heads;
        public readonly int KeyHeads = shape.KeyHeads;
        public readonly int KeyWidth = shape.KeyWidth;
        public readonly int ValueWidth = shape.ValueWidth;
        public readonly bool Delta = shape.Delta;
        public readonly bool Interleaved = shape.Interleaved;
    }

    /// <summary>What one head sees of one token.</summary>
    private struct Token
    {
        public float* Q; // [keyWidth]
        public float* K; // [keyWidth]
        public float* Decay; // [1] or [keyWidth]
        public float Rate;
        public float Skip;
    }
}
