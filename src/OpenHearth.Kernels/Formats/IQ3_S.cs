using System.Runtime.Intrinsics;

namespace OpenHearth.Kernels.Formats;

/// <summary>
/// 256 values of about 3.4 bits: fours from a codebook of 512 points with free signs, in groups of 32 with a 4-bit
/// scale: <c>value = d · (1 + 2 · scale) · ±point</c>.
/// <code>
/// byte   0  d       F16
///        2  qs      64 bytes: low eight bits of the code of each four
///       66  qh      8 bytes; bit k of byte g: bit 8 of the code of four 8g + k
///       74  signs   32 bytes: signs of each eight
///      106  scales  4 bytes; byte g: scales of group 2g (low nibble) and 2g + 1 (high)
/// </code>
/// </summary>
internal sealed class IQ3_S() : BlockFormat(TensorType.IQ3_S)
{
    /// <summary>Codebook. [512 × 4]</summary>
    internal static readonly sbyte[] Grid = Codebook.Unpack([1, 3, 5, 7, 9, 11, 13, 15], 4,
        """
        p1cjCKUKBZIXI4kiEAAiBKNJIhGkCgAJCCIFShAFgCIBiBIECQIAARQARQiiAEAIQAoAAgAEAAIVAEUIABEAABerBVIAUAIESxECCQIFAEEBpBEECSABBJIJ
        ghECAAQBKBQACkQRAAACCQIFAAIAAAAAkQBQAAAACgUCIAIABAGrVYoFKgWAKQWJJBIEAgAAkgAKgQKIABIlAhQKBAFAAIIACSQCAAAkEAIEgAEIAAGFAAIA
        ACACACACQAEIAQAABKoEKpQCCAIqEAoAAQABRAEEARQAAQAAAhGKAYogAAgIQgQCAAQRAAIFIAQQQAAIAEAAAAIAAAAKAAUgAAAAABEEkQQCAQABhAoEIQgi
        AAAKIQIIAYAEARAKBSIAAAAABQAQgAEAAAKgAAIAAAAEAAAIABAAAAEAACEAAQgCAAAEEQQAkQRAECoEAgQAAAAEAQIIQQAIAACEAYAAEAIgCBIAAQRAAAAA
        AARAAAAKAAAAAAAABAAAABQABAAAAAAAACoACgAAAQABAIEAAAAQAAAEABAEIAQBARACAAEAAAAAACAACAAEAAkAABAAAAEAIAAAAAEAAAAACgAAAAAAAJEA
        BUABEAQABAIQACgAAAASQQIBAAIAAAQAACQACAAAIggBAAABAAAAAAQABAAAAAQAAAIAAAAAAQAAAAAAAAA=
        """);

    private static readonly Lazy<CodebookEncoder> Encoder = new(() =>
        new(new(Grid, [1, 3, 5, 7, 9, 11, 13, 15], 4, 3), evenSigns: false, 0, 9, 0.2f, Refit.AllIfAny));

    public override bool CanEncode => true;

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = Half(block, 0);
        for (var k = 0; k < 64; k++)
        {
            var code = block[2 + k] | (block[66 + k / 8] >> (k % 8) & 1) << 8;
            var scale = d * (1 + 2 * (block[106 + k / 16] >> (k / 8 % 2 * 4) & 15));
            Codebook.Decode(Grid.AsSpan(4 * code, 4), block[74 + k / 2] >> (k % 2 * 4), scale, values.Slice(4 * k, 4));
        }
    }

    private protected override unsafe void DecodeBlocks(byte* block, byte* end, float* to)
    {
        for (; block < end; block += BlockBytes, to += BlockSize)
        {
            var grid = Codebook.Fours(Grid);
            var d = Expand.Half(block);
            for (var g = 0; g < 16; g++)
            {
                var high = block[66 + g / 2] << 8 >> g % 2 * 4;
                var scale = d * (1 + 2 * (block[106 + g / 4] >> (g / 2 % 2 * 4) & 15));
                var codes = block + 2 + 4 * g;
                var signs = Vector128.Create(Codebook.SignBytes[block[74 + 2 * g]], Codebook.SignBytes[block[75 + 2 * g]]).AsSByte();
                var points = Vector128.Create(
                    grid[codes[0] | high & 256], grid[codes[1] | high >> 1 & 256],
                    grid[codes[2] | high >> 2 & 256], grid[codes[3] | high >> 3 & 256]).AsSByte();
                Expand.Scaled(Codebook.Signed(points, signs), scale, to + 16 * g);
            }
        }
    }

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block)
    {
        block.Clear();
        Span<float> scales = stackalloc float[8], weights = stackalloc float[32];
        Span<ushort> codes = stackalloc ushort[8];
        var spread = 2 * ScaleSearch.SumOfSquares(values) / 256;
        for (var g = 0; g < 8; g++)
        {
            var group = values.Slice(32 * g, 32);
            IQ4_NL.Weigh(group, importance.Slice(32 * g, 32), spread, weights);
            scales[g] = Encoder.Value.Encode(group, weights, block.Slice(74 + 4 * g, 4), codes);
            for (var k = 0; k < 8; k++)
            {
                block[2 + 8 * g + k] = (byte)codes[k];
                block[66 + g] |= (byte)(codes[k] >> 8 << k);
            }
        }
        var d = ScaleSearch.Largest(scales) / 31;
        WriteHalf(block, 0, d * 1.033f);
        for (var g = 0; g < 8 && d != 0; g++)
            block[106 + g / 2] |= (byte)(ScaleSearch.OddSteps(scales[g], 1 / d, 15) << g % 2 * 4);
    }
}
