using System.Runtime.CompilerServices;
using OpenHearth.Kernels.Elementwise;
using OpenHearth.Kernels.Vectors;

namespace OpenHearth.Kernels.Attention;

/// <summary>
/// Turns the keys of a block back to the position of its first token, and forth again. Rotary embedding makes a channel of
/// a block swing from token to token; turned back, its tokens lie in a narrower range, which takes fewer bits. As both ways
/// are the same angles, any will do: they need not be those that the model turns by now. Thread-safe.
/// Source: Hooper et al., KVQuant, 2024, where keys are cached before they turn.
/// </summary>
public sealed unsafe class KeyTurn
{
    private const int Tokens = CacheFormat.BlockTokens;
    private const int Alignment = 64; // bytes of the widest vectors

    private readonly float[] _memory; // pinned
    private readonly float* _angles; // [pairs, cosine and sine, 64 tokens]
    private readonly int _offset;
    private readonly RotaryPairing _pairing;

    /// <summary>Makes the angles of a block.</summary>
    /// <param name="frequencies">[pairs] radians that each pair turns a token</param>
    /// <param name="offset">First value of a key that turns.</param>
    /// <param name="pairing">Which values turn together.</param>
    public KeyTurn(ReadOnlySpan<float> frequencies, int offset, RotaryPairing pairing)
    {
        (Pairs, _offset, _pairing) = (frequencies.Length, offset, pairing);
        _memory = GC.AllocateArray<float>((2 * Pairs * Tokens) + (Alignment / sizeof(float)), pinned: true);
        _angles = (float*)(((nint)Unsafe.AsPointer(ref _memory[0]) + Alignment - 1) & -Alignment);
        for (var pair = 0; pair < Pairs; pair++)
        {
            for (var t = 0; t < Tokens; t++)
            {
                var (sine, cosine) = Math.SinCos(t * (double)frequencies[pair]);
                Cosines(pair)[t] = (float)cosine;
                Sines(pair)[t] = (float)sine;
            }
        }
    }

    /// <summary>Pairs that turn.</summary>
    internal int Pairs { get; }

    /// <summary>The first value of a key behind those that turn.</summary>
    internal int End => _offset + (2 * Pairs);

    /// <summary>True where a value of a key turns.</summary>
    internal bool Turns(int value) => value >= _offset && value < End;

    /// <summary>Which values of a key a pair is.</summary>
    internal (int X, int Y) Pair(int pair) => _pairing == RotaryPairing.Neighbours
        ? (_offset + (2 * pair), _offset + (2 * pair) + 1)
        : (_offset + pair, _offset + Pairs + pair);

    /// <summary>Turns a pair back to where the first token is.</summary>
    /// <param name="pair">Which pair.</param>
    /// <param name="x">[64 tokens]</param>
    /// <param name="y">[64 tokens]</param>
    internal void Back(int pair, float* x, float* y)
    {
        float* cosines = Cosines(pair), sines = Sines(pair);
        for (var t = 0; t < Tokens; t++)
            (x[t], y[t]) = ((x[t] * cosines[t]) + (y[t] * sines[t]), (y[t] * cosines[t]) - (x[t] * sines[t]));
    }

    private float* Cosines(int pair) => _angles + (2 * pair * Tokens);

    private float* Sines(int pair) => Cosines(pair) + Tokens;

    /// <summary>Turns the pairs of a block to where they were. Nothing is fused, so that the bits don't depend on the processor.</summary>
    internal struct Forth : IRowKernel
    {
        public KeyTurn Turn;
        public float* Keys; // [width, 64 tokens]

        public readonly void Run<TSimd, TVector>(int first, int end) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            for (var pair = first; pair < end; pair++)
            {
                var (xs, ys) = Turn.Pair(pair);
                float* x = Keys + (xs * Tokens), y = Keys + (ys * Tokens), cosines = Turn.Cosines(pair), sines = Turn.Sines(pair);
                for (var t = 0; t < Tokens; t += TSimd.Count)
                {
                    TVector a = TSimd.Load(x + t), b = TSimd.Load(y + t), cosine = TSimd.Load(cosines + t), sine = TSimd.Load(sines + t);
                    TSimd.Store(TSimd.Subtract(TSimd.Multiply(a, cosine), TSimd.Multiply(b, sine)), x + t);
                    TSimd.Store(TSimd.Add(TSimd.Multiply(b, cosine), TSimd.Multiply(a, sine)), y + t);
                }
            }
        }
    }
}
