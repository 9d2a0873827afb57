using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OpenHearth.Kernels.Formats;

/// <summary>
/// 256 values of about 3 bits: fours from a codebook of 256 points, eights with an even number of negatives, in groups
/// of 32 with a 4-bit scale: <c>value = d · (0.5 + scale) / 2 · ±point</c>.
/// <code>
/// byte  0  d      F16
///       2  qs     64 bytes: code of each four
///      66  signs  8 × 32 bits, each for 32 values: bits 7k to 7k+6 the signs of eight k, bits 28-31 the scale
/// </code>
/// </summary>
internal sealed class IQ3_XXS() : BlockFormat(TensorType.IQ3_XXS)
{
    /// <summary>Codebook. [256 × 4]</summary>
    internal static readonly sbyte[] Grid = Codebook.Unpack([4, 12, 20, 28, 36, 44, 52, 62], 4,
        """
        FYoFAgQAACgKBSIFAhAAARUCBYoAggAgggUgAAAAAAEACACAEIAAKIIAAAQABAAAAAAAIAAAEAAAUQAACAACAAoFChWAAQAABQIFAAAAAAAKBQIBAAAABAUA
        AQJAAEAAIgAAAAABAAAAABEAQAAAAiAAAAAAAAAAAAAEAAEAAAAFCkUCBAAAACoFAgEAAIgBBYIFgAEgAAACEQAAAAAAEQAAACAACAAACACAAAIAABAAAAAA
        AAAAAApAAAAgAAAAAgUKAAABIAQFAAECUAAAAAoBIAAABAAEAAIACAAAAAAAAAABgAAABEEABAAAIAAAABAAQAAACAAAAAAIAAABABCAAKAAiAAAAAAAAAAA
        ABAAAAGAAQBBAIAAAAAgAAAAEAAAAAACEAAAACAACAAAAQAAAAAAAAAAIAUAAQAAAAAABAAAAgAAAUEAQAAAIAAAABAABAAAAAQEAAAAAAgAAAABiAAAAAAE
        BAAAAgAAAAAAAAAAAAEAAAAAEAAEAAAAAAAQAFAAEAAAAAIAAAACAACAAAAAABAAAAAAQQAAAAAAAAAAEAAAACAAAAAABAAAAAAACAAAAAAIAAIAAAAAAKgB
        AAQABAAAAABAAAEAAAAABAAAIAQAAAEgAAgAAAEAAAACAAIAAAAFABAAAAAAAAAAAAEAAAAAAAAAAAAAAAA=
        """);

    private static readonly Lazy<CodebookEncoder> Encoder = new(() =>
        new(new(Grid, [4, 12, 20, 28, 36, 44, 52, 62], 4, 2), evenSigns: true, 1e-8f, 15, 0.2f, Refit.OnlyThose));

    public override bool CanEncode => true;

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = Half(block, 0);
        for (var k = 0; k < 64; k++)
        {
            var bits = BinaryPrimitives.ReadUInt32LittleEndian(block[(66 + k / 8 * 4)..]);
            var signs = Codebook.EvenSigns((int)(bits >> (k % 8 / 2 * 7) & 127)) >> (k % 2 * 4);
            var scale = d * (0.5f + (bits >> 28)) * 0.5f;
            Codebook.Decode(Grid.AsSpan(4 * block[2 + k], 4), signs, scale, values.Slice(4 * k, 4));
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
                var all = Unsafe.ReadUnaligned<uint>(block + 66 + g / 2 * 4);
                var scale = d * (0.5f + (all >> 28)) * 0.5f;
                var bits = all >> g % 2 * 14;
                var codes = block + 2 + 4 * g;
                var signs = Vector128.Create(Codebook.EvenSignBytes[bits & 127], Codebook.EvenSignBytes[bits >> 7 & 127]).AsSByte();
                var points = Vector128.Create(grid[codes[0]], grid[codes[1]], grid[codes[2]], grid[codes[3]]).AsSByte();
                Expand.Scaled(Codebook.Signed(points, signs), scale, to + 16 * g);
            }
        }
    }

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block)
    {
        block.Clear();
        Span<float> scales = stackalloc float[8], weights = stackalloc float[32];
        Span<ushort> codes = stackalloc ushort[8];
        Span<byte> signs = stackalloc byte[4];
        var spread = 2 * ScaleSearch.SumOfSquares(values) / 256;
        for (var g = 0; g < 8; g++)
        {
            var group = values.Slice(32 * g, 32);
            IQ4_NL.Weigh(group, importance.Slice(32 * g, 32), spread, weights);
            scales[g] = Encoder.Value.Encode(group, weights, signs, codes);
            for (var k = 0; k < 8; k++)
                block[2 + 8 * g + k] = (byte)codes[k];
            var bits = 0u;
            for (var k = 0; k < 4; k++)
                bits |= (uint)(signs[k] & 127) << 7 * k;
            BinaryPrimitives.WriteUInt32LittleEndian(block[(66 + 4 * g)..], bits);
        }
        var d = ScaleSearch.Largest(scales) / 31;
        WriteHalf(block, 0, d * 1.0125f);
        if (d == 0)
            block.Clear();
        for (var g = 0; g < 8 && d != 0; g++)
            block[69 + 4 * g] |= (byte)(ScaleSearch.OddSteps(scales[g], 1 / d, 15) << 4);
    }
}
