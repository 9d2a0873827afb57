using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OpenHearth.Kernels.Formats;

/// <summary>
/// 256 values of about 2 bits: eights from a codebook of 256 points, with an even number of negatives, in groups of 32
/// with a 4-bit scale: <c>value = d · (0.5 + scale) / 4 · ±point</c>.
/// <code>
/// byte  0  d     F16
///       2  qs    8 × 8 bytes, each for 32 values: 4 codes of a point, then 32 bits:
///                bits 7k to 7k+6 the signs of eight k, bits 28-31 the scale
/// </code>
/// </summary>
internal sealed class IQ2_XXS() : BlockFormat(TensorType.IQ2_XXS)
{
    /// <summary>Codebook. [256 × 8]</summary>
    internal static readonly sbyte[] Grid = Codebook.Unpack([8, 25, 43], 8,
        """
        VRUUVRBEQUEABBREABAAAAAEQAAUAEAAAAAABAAAUBBAQREAARQEQFAEQAAQAAAFEAAAUAAAAQAAQAAAQRQEQBQUAAAEAAAEAAAEAAAAAAAABBAAAAAAAAAA
        ABQEEBAAQAAEEQAEARAAQEAAAQAAAAAAAQQAAAAAABAEQARAAAAEAAAAABAAAAAQAAAAQAAQAAAAAAAAAAAFAQAEAABAAAAAEQAAAAAAAAAAAQAAAABAAAAA
        AAAUBAAAAQABBQAAAAAAEBAAAAAAAFAAAAAAAAAAAABAQQAAAUAAAAAAQAAAAAQAQAAAAAAAAAAAAAAAQAAAQAAEAAAAAAAEAAAAAAAAAAAAAAAAAAAAAQAA
        AAAAUBBEQRAQARQEABAAQAAAAAREAABAQAAAQEAAAQAAQBAAAQAAABAAEAAABBAAAAAAAAAAAQAAAAAAAAAAABQEABABAAAAAAAEAAAAABABBAAAAAAAAAQA
        AAAEABBEUAAAAAAEAQAAAQAABAAAAAAAAQAAAAAAAABAAAAAAAAAAAAAQAEAAAEAAAAAAAAAAAQAAAAAAQAAAAAEEAQAAAAEAAAAAAAAQAAAAAAAAAAEAAAA
        AAAAAAAAQQAAAQAAAQAAQAAAAABAAAAAAAAAQAAAABAAAAAAEQAAAAAAAAAAAAAUAAAAAAAEAAAAAAAAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAAAAA
        AAAAAAAAQEEAAAQAAEAAAAAEQAAEAAAAAAAAAAQAAAAAAAAAABREABAAQAAAAAAEAAAABAAAABAAAAQAQAAAAQAAAEAAAAAAAAAAAAAAAQAAAAAAAAAAAAAB
        AAAAAAAAAAAEARAEAAAAAAABAEAAAAAAQAAAAAAAAAABAAAAAAAEAEAAAQAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAAAAAAEAAAAAAAAQAAAAAAAAAA
        AAAAAAAAAAAABAAAABAAAAQAAAABAAAAAAAAAAAEAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEAAAAAAAEAAAAAAAAAAAA
        AAAAAAAAAAAAAAA=
        """);

    private static readonly Lazy<CodebookEncoder> Encoder = new(() =>
        new(new(Grid, [8, 25, 43], 8, 2), evenSigns: true, ScaleSearch.Nothing, 6, 0.1f, Refit.Always));

    public override bool CanEncode => true;

    public override bool NeedsImportance => true;

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = Half(block, 0);
        for (var group = 0; group < 8; group++)
        {
            var codes = block.Slice(2 + 8 * group, 4);
            var bits = BinaryPrimitives.ReadUInt32LittleEndian(block[(6 + 8 * group)..]);
            var scale = d * (0.5f + (bits >> 28)) * 0.25f;
            for (var k = 0; k < 4; k++)
                Codebook.Decode(Grid.AsSpan(8 * codes[k], 8), Codebook.EvenSigns((int)(bits >> 7 * k & 127)), scale, values.Slice(32 * group + 8 * k, 8));
        }
    }

    private protected override unsafe void DecodeBlocks(byte* block, byte* end, float* to)
    {
        for (; block < end; block += BlockBytes, to += BlockSize)
        {
            var grid = Codebook.Eights(Grid);
            var d = Expand.Half(block);
            for (var g = 0; g < 8; g++)
            {
                var codes = block + 2 + 8 * g;
                var bits = Unsafe.ReadUnaligned<uint>(codes + 4);
                var scale = d * (0.5f + (bits >> 28)) * 0.25f;
                for (var k = 0; k < 4; k += 2, bits >>= 14)
                {
                    var signs = Vector128.Create(Codebook.EvenSignBytes[bits & 127], Codebook.EvenSignBytes[bits >> 7 & 127]).AsSByte();
                    var points = Vector128.Create(grid[codes[k]], grid[codes[k + 1]]).AsSByte();
                    Expand.Scaled(Codebook.Signed(points, signs), scale, to + 32 * g + 8 * k);
                }
            }
        }
    }

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block)
    {
        block.Clear();
        Span<float> scales = stackalloc float[8], weights = stackalloc float[32];
        Span<ushort> codes = stackalloc ushort[4];
        Span<byte> signs = stackalloc byte[4];
        var spread = ScaleSearch.MeanSquare(values);
        for (var g = 0; g < 8; g++)
        {
            var group = values.Slice(32 * g, 32);
            importance.Slice(32 * g, 32).Weigh(group, spread, weights);
            scales[g] = Encoder.Value.Encode(group, weights, signs, codes);
            var bits = 0u;
            for (var k = 0; k < 4; k++)
            {
                block[2 + 8 * g + k] = (byte)codes[k];
                bits |= (uint)(signs[k] & 127) << 7 * k;
            }
            BinaryPrimitives.WriteUInt32LittleEndian(block[(6 + 8 * g)..], bits);
        }
        var d = ScaleSearch.Largest(scales) / 31;
        WriteHalf(block, 0, d);
        if (d == 0)
            block.Clear();
        for (var g = 0; g < 8 && d != 0; g++)
            block[9 + 8 * g] |= (byte)(ScaleSearch.OddSteps(scales[g], 1 / d, 15) << 4);
    }
}
