using System.Buffers.Binary;

namespace OpenHearth.Kernels.Formats;

/// <summary>
/// 32 values of 5 bits with one scale: <c>value = d · (code − 16)</c>.
/// <code>
/// byte  0  d     F16
///       2  qh    32 bits; bit j = bit 4 of code j
///       6  qs    16 bytes; byte j: low nibble = code j, high nibble = code j + 16
/// </code>
/// </summary>
internal sealed class Q5_0() : BlockFormat(TensorType.Q5_0)
{
    public override bool CanEncode => true;

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = Half(block, 0);
        var high = BinaryPrimitives.ReadUInt32LittleEndian(block[2..]);
        for (var j = 0; j < 16; j++)
        {
            var code = block[6 + j];
            values[j] = d * ((code & 15 | Bit4(high, j)) - 16);
            values[j + 16] = d * ((code >> 4 | Bit4(high, j + 16)) - 16);
        }
    }

    /// <summary>Bit <paramref name="j"/> of the high bits, moved to where a code has it.</summary>
    internal static int Bit4(uint high, int j) => (int)(high >> j & 1) << 4;

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block)
    {
        Span<byte> codes = stackalloc byte[32];
        WriteHalf(block, 0, ScaleSearch.Legacy(values, importance, 16, codes));
        Pack(codes, block[2..]);
    }

    /// <summary>Writes the high bits and the nibbles of 32 codes.</summary>
    internal static void Pack(ReadOnlySpan<byte> codes, Span<byte> packed)
    {
        var high = 0u;
        for (var j = 0; j < 32; j++)
            high |= (uint)(codes[j] >> 4) << j;
        BinaryPrimitives.WriteUInt32LittleEndian(packed, high);
        for (var j = 0; j < 16; j++)
            packed[4 + j] = (byte)(codes[j] & 15 | codes[j + 16] << 4);
    }
}
