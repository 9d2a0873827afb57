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
}
