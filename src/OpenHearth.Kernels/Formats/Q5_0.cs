using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

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

    private protected override unsafe void DecodeBlocks(byte* block, byte* end, float* to)
    {
        for (; block < end; block += BlockBytes, to += BlockSize)
        {
            var d = Expand.Half(block);
            var (low, high) = Expand.Nibbles(block + 6);
            var upper = HighBits(block + 2);
            Expand.Scaled((low | upper.GetLower()).AsSByte() - Vector128.Create((sbyte)16), d, to);
            Expand.Scaled((high | upper.GetUpper()).AsSByte() - Vector128.Create((sbyte)16), d, to + 16);
        }
    }

    /// <summary>32 bits as bit 4 of 32 bytes.</summary>
    internal static unsafe Vector256<byte> HighBits(byte* bits)
    {
        var picked = Vector256.Shuffle(Vector256.Create(Unsafe.ReadUnaligned<uint>(bits)).AsByte(), Vector256.Create(
            0x0000000000000000UL, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303).AsByte());
        var mask = Vector256.Create(0x8040201008040201UL).AsByte();
        return Vector256.Equals(picked & mask, mask) & Vector256.Create((byte)16);
    }

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
