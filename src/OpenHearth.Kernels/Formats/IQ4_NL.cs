using System.Runtime.Intrinsics;

namespace OpenHearth.Kernels.Formats;

/// <summary>
/// 32 values of 4 bits that pick one of 16 uneven steps, with one scale: <c>value = d · step[code]</c>.
/// <code>
/// byte  0  d     F16
///       2  qs    16 bytes; byte j: low nibble = code j, high nibble = code j + 16
/// </code>
/// </summary>
internal sealed class IQ4_NL() : BlockFormat(TensorType.IQ4_NL)
{
    public override bool CanEncode => true;

    /// <summary>What each code means, shared with <see cref="IQ4_XS"/>.</summary>
    internal static ReadOnlySpan<sbyte> Steps => [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = Half(block, 0);
        for (var j = 0; j < 16; j++)
        {
            values[j] = d * Steps[block[2 + j] & 15];
            values[j + 16] = d * Steps[block[2 + j] >> 4];
        }
    }

    private protected override unsafe void DecodeBlocks(byte* block, byte* end, float* to)
    {
        for (; block < end; block += BlockBytes, to += BlockSize)
        {
            var d = Expand.Half(block);
            var (low, high) = Expand.Nibbles(block + 2);
            var steps = Vector128.Create(Steps);
            Expand.Scaled(Vector128.ShuffleNative(steps, low.AsSByte()), d, to);
            Expand.Scaled(Vector128.ShuffleNative(steps, high.AsSByte()), d, to + 16);
        }
    }

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block)
    {
        Span<float> weights = stackalloc float[32];
        Weigh(values, importance, 2f / 32 * ScaleSearch.SumOfSquares(values), weights);
        var scale = Scale(values, weights);
        WriteHalf(block, 0, scale);
        Codes(values, scale == 0 ? 0 : 1 / scale, block[2..]);
    }

    /// <summary>Weights of 32 values: their squares, or what the importance says.</summary>
    internal static void Weigh(ReadOnlySpan<float> values, Importance importance, float spread, Span<float> weights)
    {
        if (importance.IsNone)
            ScaleSearch.Squares(values, weights);
        else
            importance.Weigh(values, spread, weights);
    }

    /// <summary>The scale with the least weighted square error among the first guess and 15 others.</summary>
    internal static float Scale(ReadOnlySpan<float> values, ReadOnlySpan<float> weights)
    {
        var extreme = ScaleSearch.Extreme(values);
        if (MathF.Abs(extreme) < ScaleSearch.Nothing)
            return 0;
        var (product, square) = Fit(values, weights, 1 / (-extreme / Steps[0]));
        var scale = square > 0 ? product / square : 0;
        var best = scale * product;
        for (var attempt = -7; attempt <= 7; attempt++)
        {
            (product, square) = Fit(values, weights, (attempt + Steps[0]) / extreme);
            if (square > 0 && product * product > best * square)
            {
                scale = product / square;
                best = scale * product;
            }
        }
        return scale;
    }

    /// <summary>Writes 32 codes into 16 bytes.</summary>
    internal static void Codes(ReadOnlySpan<float> values, float inverse, Span<byte> packed)
    {
        for (var j = 0; j < 16; j++)
            packed[j] = (byte)(Nearest(inverse * values[j]) | Nearest(inverse * values[j + 16]) << 4);
    }

    private static (float Product, float Square) Fit(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, float inverse)
    {
        var (product, square) = (0f, 0f);
        for (var j = 0; j < 32; j++)
        {
            float step = Steps[Nearest(inverse * values[j])];
            product += weights[j] * step * values[j];
            square += weights[j] * step * step;
        }
        return (product, square);
    }

    /// <summary>The code of the nearest step, the upper one of equals.</summary>
    private static int Nearest(float value)
    {
        if (value >= Steps[15])
            return 15;
        var upper = 1;
        while (upper < 15 && value >= Steps[upper])
            upper++;
        return value - Steps[upper - 1] < Steps[upper] - value ? upper - 1 : upper;
    }
}
