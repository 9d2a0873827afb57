using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OpenHearth.Kernels.Formats;

/// <summary>
/// 256 values of about 2.3 bits: eights from a codebook of 512 points, with an even number of negatives, in groups of
/// 16 with a 4-bit scale: <c>value = d · (0.5 + scale) / 4 · ±point</c>.
/// <code>
/// byte  0  d       F16
///       2  qs      32 × 16 bits, one for eight values: bits 0-8 the code of a point, bits 9-15 the signs
///      66  scales  8 bytes; byte g: scales of group 2g (low nibble) and 2g + 1 (high)
/// </code>
/// </summary>
internal sealed class IQ2_XS() : BlockFormat(TensorType.IQ2_XS)
{
    /// <summary>Codebook. [512 × 8]</summary>
    internal static readonly sbyte[] Grid = Codebook.Unpack([8, 25, 43], 8,
        """
        VVVVUVVFQRVFAVRVVVBFQRAFAQBUURBAQQQAAQEAUFVFQRUVARQEAFBFQQAFAQQEAABAQQAQBQAAQAAAQFUFERQEARAAQEAFAQAEAABAEAAAAQAEAQAAAAAQ
        AVRVUVBFQUAFAQBUURBAQQAAAVAAUBEAQAAAAQAAAFBFQQBFARAEAABAQQAAAQAAAAAAQAAEAAABAAAAAAAFBQAEQAAABAAAEQAAAAAABAAAAAAAAABAAAAA
        AABVVRBAQQAAAQAEUBAAQBAAEAAAABAAAAEAAAAEAABEQQBAAQAAAAAAQAAAAAQQAAAAEAABAAEAAAAAAAAQQQEEAAABABAABAAAAAAAABAAAQAAARAAAAAA
        RAEAUFVFQVUFERQEAFBFQQAFAQBEAEBAQQFAAQAAAAAAQBVFARQEABAAAQAFARAEAAAAAEAAAQEAQBAAAAAAABQEABABAQEAAAAEEAAAQQBAAAAAQAAAAAAA
        AAAAAFBFQRAFAQAEAABAQQQABQAAAAAAQAAAABAAAAAAAEAFAQQEABBAAAABQQAAAAAAQBAAAAAAEAAAABAAAAQEQABAQAAAAAABAAAQQAEAAAAAAAAAAAAA
        AABAAABAQQAAARAQAAEAUAAAAAAAAAAAAAAAABAABAAAAAEAAUAAAAAAAAAAAAAEABABAAAAABAAAAAAAAAAAAAAEAAAAAAAAAEAAAAAAAQAAAAAAAAABAAA
        ABAQAAAAQBUFARUEAFAAAFAVAQAEEAQAAAAAAQAEAAAAQAEAQRRUABAAQABAAAAEAAAAAQAAAABAAAAEAAAAAAEAABAEAAQAAAEUAAAEBAAAAAAAAAAAAAAA
        BAAAABAEBBAFAQAEAAEAAQAAAQAQAAAAAQAAAAAAAAAABABAAABEAAAAQRAAAAAAAAAAEAAAAAAUAAAAAAABAAAAAAAAAAAAAAQAAAAABAAAAAABAAAAAAAA
        EAAAABAAAAAARQEEBAAAAAAAAQAAAABAEAAAAEAUAQAQAAAAAQAEAAAAQAAAAABAAAAAAAAAAAAAAAAAAAAAAABAAAAEAEAARQAAAAAAQBAEAAAAAAAABQAA
        AAAABQAAAAABAAE=
        """);

    private static readonly Lazy<CodebookEncoder> Encoder = new(() =>
        new(new(Grid, [8, 25, 43], 8, 2), evenSigns: true, ScaleSearch.Nothing, 9, 0.1f, Refit.OnlyThose));

    public override bool CanEncode => true;

    public override bool NeedsImportance => true;

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = Half(block, 0);
        for (var k = 0; k < 32; k++)
        {
            var bits = BinaryPrimitives.ReadUInt16LittleEndian(block[(2 + 2 * k)..]);
            var scale = d * (0.5f + (block[66 + k / 4] >> (k / 2 % 2 * 4) & 15)) * 0.25f;
            Codebook.Decode(Grid.AsSpan(8 * (bits & 511), 8), Codebook.EvenSigns(bits >> 9), scale, values.Slice(8 * k, 8));
        }
    }

    private protected override unsafe void DecodeBlocks(byte* block, byte* end, float* to)
    {
        for (; block < end; block += BlockBytes, to += BlockSize)
        {
            var grid = Codebook.Eights(Grid);
            var d = Expand.Half(block);
            for (var g = 0; g < 16; g++)
            {
                var bits = Unsafe.ReadUnaligned<uint>(block + 2 + 4 * g);
                var scale = d * (0.5f + (block[66 + g / 2] >> (g % 2 * 4) & 15)) * 0.25f;
                var signs = Vector128.Create(Codebook.EvenSignBytes[bits >> 9 & 127], Codebook.EvenSignBytes[bits >> 25]).AsSByte();
                var points = Vector128.Create(grid[(int)(bits & 511)], grid[(int)(bits >> 16 & 511)]).AsSByte();
                Expand.Scaled(Codebook.Signed(points, signs), scale, to + 16 * g);
            }
        }
    }

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block)
    {
        block.Clear();
        Span<float> scales = stackalloc float[16], weights = stackalloc float[16];
        Span<ushort> codes = stackalloc ushort[2];
        Span<byte> signs = stackalloc byte[2];
        var spread = ScaleSearch.MeanSquare(values);
        for (var g = 0; g < 16; g++)
        {
            var group = values.Slice(16 * g, 16);
            importance.Slice(16 * g, 16).Weigh(group, spread, weights);
            scales[g] = Encoder.Value.Encode(group, weights, signs, codes);
            for (var k = 0; k < 2; k++)
                BinaryPrimitives.WriteUInt16LittleEndian(block[(2 + 4 * g + 2 * k)..], (ushort)(codes[k] | (signs[k] & 127) << 9));
        }
        var d = ScaleSearch.Largest(scales) / 31;
        WriteHalf(block, 0, d);
        if (d == 0)
            block.Clear();
        for (var g = 0; g < 16 && d != 0; g++)
            block[66 + g / 2] |= (byte)(ScaleSearch.OddSteps(scales[g], 1 / d, 15) << g % 2 * 4);
    }
}
