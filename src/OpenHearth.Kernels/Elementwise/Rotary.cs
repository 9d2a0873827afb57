using OpenHearth.Kernels.Threading;
using OpenHearth.Kernels.Vectors;

namespace OpenHearth.Kernels.Elementwise;

/// <summary>Which two values of a head form a pair that is rotated.</summary>
public enum RotaryPairing
{
    /// <summary>(0, n/2), (1, n/2 + 1), …: GPT-NeoX, and every Hugging Face Llama.</summary>
    Halves,

    /// <summary>(0, 1), (2, 3), …: the paper, and Llama's GGUF files, whose rows are permuted to suit.</summary>
    Neighbours,
}

/// <summary>Rotary position embedding. Source: Su et al., RoFormer, 2021.</summary>
public static unsafe class Rotary
{
    /// <summary>Rotates a range of every head by the angles of the token's position; <paramref name="y"/> may be <paramref name="x"/>.</summary>
    /// <param name="pool">Runs the parts.</param>
    /// <param name="x">[tokens, heads, headWidth]</param>
    /// <param name="angles">[tokens, dimensions]: the cosines of all pairs, then the sines</param>
    /// <param name="y">[tokens, heads, headWidth]</param>
    /// <param name="tokens">Number of rows.</param>
    /// <param name="heads">Heads a row.</param>
    /// <param name="headWidth">Values a head.</param>
    /// <param name="offset">First value of a head that is rotated.</param>
    /// <param name="dimensions">Number of values of a head that are rotated, even.</param>
    /// <param name="pairing">Which values are rotated together.</param>
    public static void Forward(
        ComputePool pool, ReadOnlySpan<float> x, ReadOnlySpan<float> angles, Span<float> y, int tokens, int heads, int headWidth, int offset, int dimensions, RotaryPairing pairing)
    {
        Check.Rows(x.Length, tokens, heads * headWidth);
        Check.Rows(y.Length, tokens, heads * headWidth);
        Check.Rows(angles.Length, tokens, dimensions);
        if (offset < 0 || (dimensions & 1) != 0 || offset + dimensions > headWidth)
            throw new ArgumentException($"Can't rotate [{offset}, {offset} + {dimensions}) of a head of {headWidth}.");
        fixed (float* px = x, pa = angles, py = y)
        {
            var kernel = new Kernel { X = px, Angles = pa, Y = py, Heads = heads, HeadWidth = headWidth, Offset = offset, Dimensions = dimensions, Pairing = pairing };
            RowKernel.Run(pool, kernel, tokens, heads * headWidth);
        }
    }

    internal struct Kernel : IRowKernel
    {
        public float* X; // [tokens, heads, headWidth]
        public float* Angles; // [tokens, dimensions]
        public float* Y; // [tokens, heads, headWidth]
        public int Heads;
        public int HeadWidth;
        public int Offset;
        public int Dimensions;
        public RotaryPairing Pairing;

        public readonly void Run<TSimd, TVector>(int first, int end) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            for (var r = (long)first; r < end; r++)
            {
                var cosines = Angles + (r * Dimensions);
                for (var h = 0; h < Heads; h++)
                {
                    var x = X + (((r * Heads) + h) * HeadWidth);
                    var y = Y + (((r * Heads) + h) * HeadWidth);
                    if (x != y)
                        new ReadOnlySpan<float>(x, HeadWidth).CopyTo(new Span<float>(y, HeadWidth));
                    if (Pairing == RotaryPairing.Halves)
                        RotateHalves<TSimd, TVector>(y + Offset, cosines, Dimensions / 2);
                    else
                        RotateNeighbours(y + Offset, cosines, Dimensions / 2);
                }
            }
        }

        private static void RotateHalves<TSimd, TVector>(float* y, float* cosines, int pairs) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            var sines = cosines + pairs;
            var i = 0;
            for (; i <= pairs - TSimd.Count; i += TSimd.Count)
            {
                var a = TSimd.Load(y + i);
                var b = TSimd.Load(y + pairs + i);
                var cosine = TSimd.Load(cosines + i);
                var sine = TSimd.Load(sines + i);
                TSimd.Store(TSimd.Subtract(TSimd.Multiply(a, cosine), TSimd.Multiply(b, sine)), y + i);
                TSimd.Store(TSimd.MultiplyAdd(a, sine, TSimd.Multiply(b, cosine)), y + pairs + i);
            }
            for (; i < pairs; i++)
                (y[i], y[pairs + i]) = ((y[i] * cosines[i]) - (y[pairs + i] * sines[i]), (y[i] * sines[i]) + (y[pairs + i] * cosines[i]));
        }

        private static void RotateNeighbours(float* y, float* cosines, int pairs)
        {
            var sines = cosines + pairs;
            for (var i = 0; i < pairs; i++)
                (y[2 * i], y[(2 * i) + 1]) = ((y[2 * i] * cosines[i]) - (y[(2 * i) + 1] * sines[i]), (y[2 * i] * sines[i]) + (y[(2 * i) + 1] * cosines[i]));
        }
    }
}
