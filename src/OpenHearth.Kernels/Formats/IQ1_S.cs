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
}
