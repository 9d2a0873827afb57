using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace OpenHearth.Kernels.Formats;

/// <summary>
/// 256 values of about 1.75 bits: eights from the codebook of <see cref="IQ1_S"/>, each with its own shift, in groups of
/// 16 with a 3-bit scale: <c>value = d · (2 · scale + 1) · (point ± 1/8)</c>.
/// <code>
/// byte  0  qs      32 bytes: low eight bits of the code of each eight
///      32  qh      16 bytes, a nibble for each eight: bits 0-2 the upper bits of the code, bit 3 set where the shift is negative
///      48  scales  4 × 16 bits: bits 3k to 3k+2 of word w the scale of group 4w + k, bits 12-15 nibble w of d, an F16
/// </code>
/// </summary>
internal sealed class IQ1_M() : BlockFormat(TensorType.IQ1_M)
{
    public override bool CanEncode => true;

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var scales = BinaryPrimitives.ReadUInt64LittleEndian(block[48..]);
        var d = Scale(scales);
        for (var k = 0; k < 32; k++)
        {
            var nibble = block[32 + k / 2] >> (k % 2 * 4) & 15;
            var scale = (int)(scales >> (k / 8 * 16 + k / 2 % 4 * 3) & 7);
            IQ1_S.Decode(block[k] | (nibble & 7) << 8, d * (2 * scale + 1), nibble >= 8, values.Slice(8 * k, 8));
        }
    }

    private protected override unsafe void DecodeBlocks(byte* block, byte* end, float* to)
    {
        for (; block < end; block += BlockBytes, to += BlockSize)
        {
            var scales = Unsafe.ReadUnaligned<ulong>(block + 48);
            var d = Scale(scales);
            for (var g = 0; g < 16; g++)
            {
                int high = block[32 + g];
                var scale = d * (2 * (int)(scales >> (g / 4 * 16 + g % 4 * 3) & 7) + 1);
                IQ1_S.Decode(block[2 * g] | (high & 7) << 8, block[2 * g + 1] | (high & 0x70) << 4,
                    scale, (high & 8) != 0, (high & 0x80) != 0, to + 16 * g);
            }
        }
    }

    private static float Scale(ulong scales) => (float)BitConverter.UInt16BitsToHalf(
        (ushort)(scales >> 12 & 0xF | scales >> 24 & 0xF0 | scales >> 36 & 0xF00 | scales >> 48 & 0xF000));

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block)
    {
        block.Clear();
        Span<float> scales = stackalloc float[16], weights = stackalloc float[16];
        Span<byte> shifts = stackalloc byte[16];
        var spread = 2 * ScaleSearch.SumOfSquares(values) / 256;
        for (var g = 0; g < 16; g++)
        {
            var group = values.Slice(16 * g, 16);
            IQ4_NL.Weigh(group, importance.Slice(16 * g, 16), spread, weights);
            scales[g] = EncodeGroup(group, weights, out var first, out var second, out shifts[g]);
            block[2 * g] = (byte)first;
            block[2 * g + 1] = (byte)second;
            block[32 + g] = (byte)(first >> 8 | second >> 8 << 4);
        }
        var d = ScaleSearch.Largest(scales) / 15;
        if (d == 0)
            return;
        var (product, square, packed) = (0f, 0f, 0UL);
        for (var g = 0; g < 16; g++)
        {
            var step = ScaleSearch.OddSteps(scales[g], 1 / d, 7);
            packed |= (ulong)step << (g / 4 * 16 + g % 4 * 3);
            var group = values.Slice(16 * g, 16);
            IQ4_NL.Weigh(group, importance.Slice(16 * g, 16), spread, weights);
            for (var k = 0; k < 2; k++)
            {
                var code = block[2 * g + k] | (block[32 + g] >> 4 * k & 7) << 8;
                TernarySearch.Fit(code, group.Slice(8 * k, 8), weights.Slice(8 * k, 8), Negative(shifts[g], k), 2 * step + 1, ref product, ref square);
            }
            block[32 + g] |= (byte)((Negative(shifts[g], 0) ? 0x08 : 0) | (Negative(shifts[g], 1) ? 0x80 : 0));
        }
        ulong half = BitConverter.HalfToUInt16Bits((Half)((square > 0 ? product / square : d) * 1.1125f));
        BinaryPrimitives.WriteUInt64LittleEndian(block[48..],
            packed | (half & 0xF) << 12 | (half & 0xF0) << 24 | (half & 0xF00) << 36 | (half & 0xF000) << 48);
    }

    /// <summary>Whether the shift of half k is negative in combination 0 (+, +), 1 (+, −), 2 (−, +) or 3 (−, −).</summary>
    private static bool Negative(int shifts, int k) => (shifts >> (1 - k) & 1) != 0;

    /// <summary>As in <see cref="IQ1_S"/> with a shift for each half, which quadruples the cuts.</summary>
    private static float EncodeGroup(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, out int firstCode, out int secondCode, out byte shifts)
    {
        (firstCode, secondCode, shifts) = (0, 0, 0);
        if (ScaleSearch.LargestMagnitude(values) < 1e-7f)
            return 0;
        Span<byte> order = stackalloc byte[16], digits = stackalloc byte[16];
        TernarySearch.Sort(values, order);
        var (scale, first, second) = BestCut(values, weights, order, out shifts);
        if (first < 0)
            return 0;
        TernarySearch.Cut(order, first, second, scale < 0, digits);
        if (scale < 0)
            (scale, shifts) = (-scale, (byte)(3 - shifts));
        var allOwn = true;
        firstCode = TernarySearch.Code(digits[..8], values[..8], weights[..8], scale, Negative(shifts, 0), ref allOwn);
        secondCode = TernarySearch.Code(digits[8..], values[8..], weights[8..], scale, Negative(shifts, 1), ref allOwn);
        if (allOwn)
            return scale;
        var (product, square) = (0f, 0f);
        TernarySearch.Fit(firstCode, values[..8], weights[..8], Negative(shifts, 0), 1, ref product, ref square);
        TernarySearch.Fit(secondCode, values[8..], weights[8..], Negative(shifts, 1), 1, ref product, ref square);
        return product > 0 && square > 0 ? product / square : scale;
    }

    private static (float Scale, int First, int Second) BestCut(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, ReadOnlySpan<byte> order, out byte shifts)
    {
        shifts = 0;
        var (best, bestScore) = ((Scale: 0f, First: -1, Second: -1), float.MinValue);
        for (var first = 0; first <= 16; first++)
        {
            for (var second = first; second <= 16; second++)
            {
                for (byte combination = 0; combination < 4; combination++)
                {
                    var (product, square) = (0f, 0f);
                    for (var j = 0; j < 16; j++)
                    {
                        var i = order[j];
                        var q = TernarySearch.Digits(Negative(combination, i / 8))[j < first ? 0 : j < second ? 1 : 2];
                        product += weights[i] * q * values[i];
                        square += weights[i] * q * q;
                    }
                    if (!(square > 0 && product * product > bestScore * square))
                        continue;
                    (best, shifts) = ((product / square, first, second), combination);
                    bestScore = best.Scale * product;
                }
            }
        }
        return best;
    }
}
