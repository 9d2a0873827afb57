using System.Buffers.Binary;
using System.Runtime.Intrinsics;

namespace OpenHearth.Kernels.Formats;

/// <summary>
/// 32 values of 5 bits with scale and minimum: <c>value = d · code + m</c>.
/// <code>
/// byte  0  d     F16
///       2  m     F16
///       4  qh    32 bits; bit j = bit 4 of code j
///       8  qs    16 bytes; byte j: low nibble = code j, high nibble = code j + 16
/// </code>
/// </summary>
internal sealed class Q5_1() : BlockFormat(TensorType.Q5_1)
{
    public override bool CanEncode => true;

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var (d, m) = (Half(block, 0), Half(block, 2));
        var high = BinaryPrimitives.ReadUInt32LittleEndian(block[4..]);
        for (var j = 0; j < 16; j++)
        {
            var code = block[8 + j];
            values[j] = d * (code & 15 | Q5_0.Bit4(high, j)) + m;
            values[j + 16] = d * (code >> 4 | Q5_0.Bit4(high, j + 16)) + m;
        }
    }

    private protected override unsafe void DecodeBlocks(byte* block, byte* end, float* to)
    {
        for (; block < end; block += BlockBytes, to += BlockSize)
        {
            var (d, m) = (Expand.Half(block), Expand.Half(block + 2));
            var (low, high) = Expand.Nibbles(block + 8);
            var upper = Q5_0.HighBits(block + 4);
            Expand.Shifted((low | upper.GetLower()).AsSByte(), d, m, to);
            Expand.Shifted((high | upper.GetUpper()).AsSByte(), d, m, to + 16);
        }
    }

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block)
    {
        Span<byte> codes = stackalloc byte[32];
        var (scale, min) = ScaleSearch.LegacyWithMinimum(values, importance, 31, codes);
        WriteHalf(block, 0, scale);
        WriteHalf(block, 2, min);
        Q5_0.Pack(codes, block[4..]);
    }
}
