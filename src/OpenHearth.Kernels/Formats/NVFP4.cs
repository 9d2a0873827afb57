using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OpenHearth.Kernels.Formats;

/// <summary>
/// NVIDIA's 4-bit format: 64 values of FP4 (E2M1) in groups of 16 with an FP8 scale: <c>value = scale · fp4[code]</c>.
/// <code>
/// byte  0  d     4 bytes: scale of each group, unsigned E4M3 (0x7F is 0)
///       4  qs    4 × 8 bytes, each for 16 values; byte j: low nibble = code j, high nibble = code j + 8
/// </code>
/// </summary>
internal sealed class NVFP4() : BlockFormat(TensorType.NVFP4)
{
    public override bool CanEncode => true;

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        for (var i = 0; i < 64; i++)
        {
            var code = block[4 + i / 16 * 8 + i % 8] >> (i % 16 / 8 * 4) & 15;
            values[i] = HalfScale(block[i / 16]) * MXFP4.Doubled[code];
        }
    }

    /// <summary>Half of a group's scale, for the doubled codes. The sign bit has no meaning.</summary>
    internal static float HalfScale(byte scale) => (scale & 127) == 127 ? 0 : F8_E4M3.Values[scale & 127] / 2;

    private protected override unsafe void DecodeBlocks(byte* block, byte* end, float* to)
    {
        for (; block < end; block += BlockBytes, to += BlockSize)
        {
            var doubled = Vector128.Create(MXFP4.Doubled);
            for (var g = 0; g < 4; g++)
            {
                var bytes = Unsafe.ReadUnaligned<ulong>(block + 4 + 8 * g);
                var codes = Vector128.Create(bytes, bytes >> 4).AsByte() & Vector128.Create((byte)15);
                Expand.Scaled(Vector128.ShuffleNative(doubled, codes.AsSByte()), HalfScale(block[g]), to + 16 * g);
            }
        }
    }

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block)
    {
        for (var group = 0; group < 4; group++)
        {
            var part = values.Slice(16 * group, 16);
            block[group] = EncodeScale(ScaleSearch.LargestMagnitude(part) / 6);
            var half = HalfScale(block[group]);
            for (var j = 0; j < 8; j++)
                block[4 + 8 * group + j] = (byte)(MXFP4.Nearest(part[j], half) | MXFP4.Nearest(part[j + 8], half) << 4);
        }
    }

    /// <summary>The unsigned E4M3 nearest to a scale, halves up; from 256 on (and when it rounds to 256) the largest, 448.</summary>
    private static byte EncodeScale(float scale)
    {
        if (!(scale > 0))
            return 0;
        if (scale < 1f / 64) // below the smallest normal number
            return (byte)Math.Min((int)(scale * 512 + 0.5f), 7);
        var bits = BitConverter.SingleToUInt32Bits(Math.Min(scale, 448)) + 0x8_0000;
        var code = (bits >> 20) - (120 << 3);
        return (byte)(code >= 0x78 ? 0x7E : code);
    }
}
