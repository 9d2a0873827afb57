using System.Buffers.Binary;
using System.Runtime.Intrinsics;

namespace OpenHearth.Kernels.Formats;

/// <summary>
/// 256 values of 4 bits that pick one of 16 uneven steps, in groups of 32 with a 6-bit scale:
/// <c>value = d · (scale − 32) · step[code]</c>, with the steps of <see cref="IQ4_NL"/>.
/// <code>
/// byte  0  d         F16
///       2  scales_h  16 bits; bits 2g and 2g+1: upper bits of the scale of group g
///       4  scales_l  4 bytes; byte g: low four bits of the scales of group 2g (low nibble) and 2g + 1 (high)
///       8  qs        8 × 16 bytes, each for 32 values; byte j: low nibble = code j, high nibble = code j + 16
/// </code>
/// </summary>
internal sealed class IQ4_XS() : BlockFormat(TensorType.IQ4_XS)
{
    public override bool CanEncode => true;

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = Half(block, 0);
        for (var i = 0; i < 256; i++)
        {
            var code = block[8 + i / 32 * 16 + i % 16] >> (i % 32 / 16 * 4) & 15;
            values[i] = d * Scale(block, i / 32) * IQ4_NL.Steps[code];
        }
    }

    /// <summary>Scale of a group of 32, from -32 to 31.</summary>
    internal static int Scale(ReadOnlySpan<byte> block, int group)
    {
        var low = block[4 + group / 2] >> (group % 2 * 4) & 15;
        var high = BinaryPrimitives.ReadUInt16LittleEndian(block[2..]) >> (2 * group) & 3;
        return (low | high << 4) - 32;
    }

    private protected override unsafe void DecodeBlocks(byte* block, byte* end, float* to)
    {
        for (; block < end; block += BlockBytes, to += BlockSize)
        {
            var d = Expand.Half(block);
            var steps = Vector128.Create(IQ4_NL.Steps);
            for (var g = 0; g < 8; g++)
            {
                var (low, high) = Expand.Nibbles(block + 8 + 16 * g);
                var scale = d * Scale(new(block, 8), g);
                Expand.Scaled(Vector128.ShuffleNative(steps, low.AsSByte()), scale, to + 32 * g);
                Expand.Scaled(Vector128.ShuffleNative(steps, high.AsSByte()), scale, to + 32 * g + 16);
            }
        }
    }

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block)
    {
        block.Clear();
        Span<float> scales = stackalloc float[8], weights = stackalloc float[32];
        var spread = 2f / 256 * ScaleSearch.SumOfSquares(values);
        for (var g = 0; g < 8; g++)
        {
            var group = values.Slice(32 * g, 32);
            IQ4_NL.Weigh(group, importance.Slice(32 * g, 32), spread, weights);
            scales[g] = IQ4_NL.Scale(group, weights);
        }
        var d = -ScaleSearch.Extreme(scales) / 32;
        WriteHalf(block, 0, d);
        var inverse = d == 0 ? 0 : 1 / d;
        var high = 0;
        for (var g = 0; g < 8; g++)
        {
            var scale = Math.Clamp(ScaleSearch.Round(inverse * scales[g]), -32, 31);
            var step = d * scale;
            IQ4_NL.Codes(values.Slice(32 * g, 32), step == 0 ? 0 : 1 / step, block.Slice(8 + 16 * g, 16));
            block[4 + g / 2] |= (byte)((scale + 32 & 15) << g % 2 * 4);
            high |= (scale + 32 >> 4) << 2 * g;
        }
        BinaryPrimitives.WriteUInt16LittleEndian(block[2..], (ushort)high);
    }
}
