using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OpenHearth.Kernels.Formats;

/// <summary>
/// 256 values of about 1.6 bits: eights from a codebook of 2048 ternary points, in groups of 32 with a 3-bit scale and
/// a shift: <c>value = d · (2 · scale + 1) · (point ± 1/8)</c>.
/// <code>
/// byte  0  d     F16
///       2  qs    32 bytes: low eight bits of the code of each eight
///      34  qh    8 × 16 bits, each for 32 values: bits 3k to 3k+2 the upper bits of the code of eight k,
///                bits 12-14 the scale, bit 15 set where the shift is negative
/// </code>
/// </summary>
internal sealed class IQ1_S() : BlockFormat(TensorType.IQ1_S)
{
    /// <summary>Codebook, shared with <see cref="IQ1_M"/>. [2048 × 8]</summary>
    internal static readonly sbyte[] Grid = Codebook.Unpack([-1, 0, 1], 8,
        """
        VSUUhaACQlEIRTGohiCKohoIKiAUhVAUgiBERSUVBaACgiCIGAAIgqADKqCIu6oKkKoLACIACqqMgqAIQFEIRSGIgFAUQlEIijAImKAIgCoIRSEUhSBIQlUI
        RQEswqAgiiYAKiSoqqII4q8ICCgoAKACQiiqKCCogCAKmwi5uqggyq6Joq6qOnzr6rq7gg64IrrK0w6SAiIAIiCoiroKggIIACpK4KI7IiArogCBQIGqiigI
        IgEUhVAVgiAJRSFUhaAIAiOoOiCEgiBUQlEIoiAIlVAUAioIuKiCgKBIAiAIgqJoogIoqyoIhSAIgjAIRUAARSEUhaAAQlEARQEpggCKgioIoTAUBVAUgigI
        RSEUhSACAiCqKgAgErGKriiouqGqqHAAggoIAigiAoQAggBIgKDqsCqqwiCLuiLq2qeLi26okrAqqnKLikQMKiBIhEAoiioIqiDIzKIioq+aoOioAgACACqo
        iAAggKCLoqIouqCAgjIKur64uv7roqArogiKCijqogChMgIM+qTq3u8rqC6Nvn7r+vd/v+Z9ut5p+yf/vyb6EunhiiIQqr4OhKoIsqgLgq7/uiTpg4AEYixo
        8qgKpCsAAioICOKqEgACgioKpiDJgomQgigAogCMgBMAgggIAGyKqqq7Aqa+iqDKAoBrly7QsukQghAuqt4oFdGlBAAKggCKgiAIAaEggqo5uiIyhKAJgBgA
        iqJiAoEURFEARSGsglAUQlEIqiAoqocKEioIRSEUBaAIQlEIRQEgAqBAoiIAiAAIoghqim64qqqAACAKguLIIiEIRFAUQlEJiiAVhVAUhgoIqioqgAAKQlEI
        RSGoAFAUQlEI4iCIggoYgioIqqKqirCLAgoqqiAogoCqCigIKACpiAIioL4LKLgIirpLsq7/uqT4rqogUihotqAw5oAKAigIImpigCAKAqqqK6rqoqmgoggI
        ECCgiiIAgg4ARSEUhaAKQFEIRSGpBgBKqgIIpQAQDUQUgigIRSEUBQAIgoKs8iAAAACqCigKuiDqogIAgkgJKOkUABFLRVEARQGoAlAUQlEIiCQIiCgKQAgA
        RQEUBaACQFEIRQE=
        """);

    public override bool CanEncode => true;

    public override bool NeedsImportance => true;

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = Half(block, 0);
        for (var k = 0; k < 32; k++)
        {
            var bits = BinaryPrimitives.ReadUInt16LittleEndian(block[(34 + k / 4 * 2)..]);
            var code = block[2 + k] | (bits >> (k % 4 * 3) & 7) << 8;
            Decode(code, d * (2 * (bits >> 12 & 7) + 1), bits >= 0x8000, values.Slice(8 * k, 8));
        }
    }

    /// <summary>Writes scale · (point ± 1/8).</summary>
    internal static void Decode(int code, float scale, bool negativeShift, Span<float> values)
    {
        var shift = negativeShift ? -0.125f : 0.125f;
        var point = Grid.AsSpan(8 * code, 8);
        for (var i = 0; i < 8; i++)
            values[i] = scale * (point[i] + shift);
    }

    private protected override unsafe void DecodeBlocks(byte* block, byte* end, float* to)
    {
        for (; block < end; block += BlockBytes, to += BlockSize)
        {
            var d = Expand.Half(block);
            for (var g = 0; g < 16; g++)
            {
                var all = Unsafe.ReadUnaligned<ushort>(block + 34 + g / 2 * 2);
                var bits = all >> g % 2 * 6;
                var (first, second) = (block[2 + 2 * g] | (bits & 7) << 8, block[3 + 2 * g] | (bits >> 3 & 7) << 8);
                Decode(first, second, d * (2 * (all >> 12 & 7) + 1), all >= 0x8000, all >= 0x8000, to + 16 * g);
            }
        }
    }

    /// <summary>Writes scale · (point ± 1/8) for two points: eighths are whole numbers that fit a byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static unsafe void Decode(int first, int second, float scale, bool firstNegative, bool secondNegative, float* to)
    {
        var grid = Codebook.Eights(Grid);
        var shift = Vector128.Create(firstNegative ? ulong.MaxValue : 0x0101010101010101, secondNegative ? ulong.MaxValue : 0x0101010101010101).AsSByte();
        Expand.Scaled((Vector128.Create(grid[first], grid[second]).AsSByte() << 3) + shift, scale * 0.125f, to);
    }

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block)
    {
        block.Clear();
        Span<float> scales = stackalloc float[8], weights = stackalloc float[32];
        Span<bool> negative = stackalloc bool[8];
        Span<ushort> codes = stackalloc ushort[4];
        var spread = 2 * ScaleSearch.SumOfSquares(values) / 256;
        for (var g = 0; g < 8; g++)
        {
            var group = values.Slice(32 * g, 32);
            importance.Slice(32 * g, 32).Weigh(group, spread, weights);
            scales[g] = EncodeGroup(group, weights, codes, out negative[g]);
            var high = 0;
            for (var k = 0; k < 4; k++)
            {
                block[2 + 4 * g + k] = (byte)codes[k];
                high |= codes[k] >> 8 << 3 * k;
            }
            BinaryPrimitives.WriteUInt16LittleEndian(block[(34 + 2 * g)..], (ushort)high);
        }
        var d = ScaleSearch.Largest(scales) / 15;
        WriteHalf(block, 0, d * 1.125f);
        for (var g = 0; g < 8 && d != 0; g++)
            block[35 + 2 * g] |= (byte)((ScaleSearch.OddSteps(scales[g], 1 / d, 7) | (negative[g] ? 8 : 0)) << 4);
    }

    /// <summary>Finds where to cut the sorted values in three, by trying all cuts with both shifts, and then the codes.</summary>
    private static float EncodeGroup(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, Span<ushort> codes, out bool negative)
    {
        codes.Clear();
        negative = false;
        if (ScaleSearch.LargestMagnitude(values) < 1e-12f)
            return 0;
        Span<byte> order = stackalloc byte[32], digits = stackalloc byte[32];
        TernarySearch.Sort(values, order);
        var (scale, first, second) = BestCut(values, weights, order, out negative);
        if (first < 0)
            return 0;
        TernarySearch.Cut(order, first, second, scale < 0, digits);
        if (scale < 0)
            (scale, negative) = (-scale, !negative);
        var allOwn = true;
        for (var k = 0; k < 4; k++)
            codes[k] = (ushort)TernarySearch.Code(digits.Slice(8 * k, 8), values.Slice(8 * k, 8), weights.Slice(8 * k, 8), scale, negative, ref allOwn);
        if (allOwn)
            return scale;
        var (product, square) = (0f, 0f);
        for (var k = 0; k < 4; k++)
            TernarySearch.Fit(codes[k], values.Slice(8 * k, 8), weights.Slice(8 * k, 8), negative, 1, ref product, ref square);
        return product > 0 && square > 0 ? product / square : scale;
    }

    private static (float Scale, int First, int Second) BestCut(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, ReadOnlySpan<byte> order, out bool negative)
    {
        Span<float> sumX = stackalloc float[33], sumW = stackalloc float[33];
        sumX[0] = sumW[0] = 0;
        for (var j = 0; j < 32; j++)
        {
            sumX[j + 1] = sumX[j] + weights[order[j]] * values[order[j]];
            sumW[j + 1] = sumW[j] + weights[order[j]];
        }
        negative = false;
        var (best, bestScore) = ((Scale: 0f, First: -1, Second: -1), float.MinValue);
        for (var first = 0; first <= 32; first++)
        {
            for (var second = first; second <= 32; second++)
            {
                for (var shift = 0; shift < 2; shift++)
                {
                    var q = TernarySearch.Digits(shift == 1);
                    var product = (sumX[first] - sumX[0]) * q[0] + (sumX[second] - sumX[first]) * q[1] + (sumX[32] - sumX[second]) * q[2];
                    var square = (sumW[first] - sumW[0]) * q[0] * q[0] + (sumW[second] - sumW[first]) * q[1] * q[1] + (sumW[32] - sumW[second]) * q[2] * q[2];
                    if (!(square > 0 && product * product > bestScore * square))
                        continue;
                    (best, negative) = ((product / square, first, second), shift == 1);
                    bestScore = best.Scale * product;
                }
            }
        }
        return best;
    }
}
