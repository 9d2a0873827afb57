using System.Buffers.Binary;

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
}
