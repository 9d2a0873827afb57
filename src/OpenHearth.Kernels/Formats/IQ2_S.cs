using System.Runtime.Intrinsics;

namespace OpenHearth.Kernels.Formats;

/// <summary>
/// 256 values of about 2.5 bits: eights from a codebook of 1024 points with free signs, in groups of 16 with a 4-bit
/// scale: <c>value = d · (0.5 + scale) / 4 · ±point</c>.
/// <code>
/// byte  0  d       F16
///       2  qs      32 bytes: low eight bits of the code of each eight
///      34  signs   32 bytes: signs of each eight
///      66  qh      8 bytes; bits 2k and 2k+1 of byte g: upper bits of the code of eight 4g + k
///      74  scales  8 bytes; byte g: scales of group 2g (low nibble) and 2g + 1 (high)
/// </code>
/// </summary>
internal sealed class IQ2_S() : BlockFormat(TensorType.IQ2_S)
{
    /// <summary>Codebook. [1024 × 8]</summary>
    internal static readonly sbyte[] Grid = Codebook.Unpack([8, 25, 43], 8,
        """
        VVVVUVVFVRUFEVVVUVBFVRQFFRRUURBQVQQAEREQUFVFVVVVFVRFUVBVVRRVVRRUURBAVQQAURQEUBAAQBVVEVVVURABAUAFVQREURBAQAAAARQQBRAAAABA
        AFRVUVFFVRUVURRUVVVFVRUFVRQAUBRBQQQFABQEAFBFVRRVVRRUURBAVRUFVRQEUBAAQBQFARQEABAAAEBVUQRUURBAAQAAVRQEUBAAEAAABBAEABAABAAA
        AABUURVRQQUEAREAVFBBQAUFARQEABAQAFEEAQAABQBEVRQFVRQEUBAAQBQFARQEABEAAAAFAQAEAAQAAAAAERQAUBAAAEAAABUEAAAAAAAAEAAABEAAAAAE
        QAEAUFVVRVVVFRREUVBFVQVVVRRUURBAQRUEURQEUAAAQFVVVVRVUVBFQQBVVRRUURBQQQAAVRQEUBAAQAAAEBRVUVBFQQAEAQBUURBAQQAAAUAAUBAAQAAA
        AAAAAFBFVRVVVRRUUQBAVRUFVRQEUBAAQBQFARQEABQAAABVVRRUURBAQQAAVRQEUBAAQAAAABQEABEAAAAAAABUURBAQUAAAQAAUBAAQAAAAAAAABAAEAAA
        AABAAABERRUFURQEQBAAQBUFARQEABAAEAAEAQAEAAEAAAABURQEUBAAQAAAABQEABAQABAABAAEAAAAAAAAABAAUBAAAAAAEAAAARAAAEAAAAAAAAAAAAAA
        BAAAAABAQBVFERRUERBBAQBFVRRUUQBAQQBAERUAUBAAAAAAAFRVEVBFQQAFAQBUURBAQQAAAQEAUBAAUAAAAAAAABBBAQAFAQAAAEBAAQAAAQBAAAAAAAAA
        BAAABUAAAAFFVRBUURBAQQAAERQAUBAQAAAAABQEABAAAAAAAEBUURBAQQAAAUAAUBAAQAAAAAAAERAAAAAQABAAAABAQQAQAQAAAAAAUAAAAAARAAAAAAAA
        AAAAAAAAQAAAEREQVBAAAAAABAEAABAAAAQAAAAQBEAUAAAARAEAURAAQAAAAAABQBAAEAAAAAAAAAAAAAAAAAQAAAAAAEAAQAAAAAAAAAEAAAAAQAAABAAA
        QAEUAQAAABAAAAE=
        """);

    private static readonly Lazy<CodebookEncoder> Encoder = new(() =>
        new(new(Grid, [8, 25, 43], 8, 1), evenSigns: false, 1e-8f, 9, 0.1f, Refit.OnlyThose));

    public override bool CanEncode => true;

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = Half(block, 0);
        for (var k = 0; k < 32; k++)
        {
            var code = block[2 + k] | (block[66 + k / 4] >> (k % 4 * 2) & 3) << 8;
            var scale = d * (0.5f + (block[74 + k / 4] >> (k / 2 % 2 * 4) & 15)) * 0.25f;
            Codebook.Decode(Grid.AsSpan(8 * code, 8), block[34 + k], scale, values.Slice(8 * k, 8));
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
                var high = block[66 + g / 2] >> (g % 2 * 4);
                var scale = d * (0.5f + (block[74 + g / 2] >> (g % 2 * 4) & 15)) * 0.25f;
                var signs = Vector128.Create(Codebook.SignBytes[block[34 + 2 * g]], Codebook.SignBytes[block[35 + 2 * g]]).AsSByte();
                var points = Vector128.Create(grid[block[2 + 2 * g] | (high & 3) << 8], grid[block[3 + 2 * g] | (high & 12) << 6]).AsSByte();
                Expand.Scaled(Codebook.Signed(points, signs), scale, to + 16 * g);
            }
        }
    }

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block)
    {
        block.Clear();
        Span<float> scales = stackalloc float[16], weights = stackalloc float[16];
        Span<ushort> codes = stackalloc ushort[2];
        var spread = 2 * ScaleSearch.SumOfSquares(values) / 256;
        for (var g = 0; g < 16; g++)
        {
            var group = values.Slice(16 * g, 16);
            if (importance.IsNone)
            {
                for (var i = 0; i < 16; i++)
                    weights[i] = 0.25f * spread + group[i] * group[i];
            }
            else
            {
                importance.Slice(16 * g, 16).Weigh(group, spread, weights);
            }
            scales[g] = Encoder.Value.Encode(group, weights, block.Slice(34 + 2 * g, 2), codes);
            for (var k = 0; k < 2; k++)
            {
                block[2 + 2 * g + k] = (byte)codes[k];
                block[66 + g / 2] |= (byte)(codes[k] >> 8 << (g % 2 * 4 + 2 * k));
            }
        }
        var d = ScaleSearch.Largest(scales) / 31;
        WriteHalf(block, 0, d * 0.9875f);
        for (var g = 0; g < 16 && d != 0; g++)
            block[74 + g / 2] |= (byte)(ScaleSearch.OddSteps(scales[g], 1 / d, 15) << g % 2 * 4);
    }
}
