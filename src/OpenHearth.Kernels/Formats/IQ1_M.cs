using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace OpenHearth.Kernels.Formats;

/// <summary>
/// 256 values of about 1.75 bits: eights from the codebook of <see cref="IQ1_S"/>, each with its own shift, in groups of
/// 16 with a 3-bit scale: <c>value = d · (2 · scale + 1) · (point ± 1/8)</c>.
/// <code>
/// byte  0  qs      32 bytes: low eight bits of the code of each eight
///      32  qh      16 bytes, a nibble for each eight: bits 0-2 the upper bits of the code, bit 3 set where the shift is negative
///      48  scales  4 × 16 bits: bits 3k to 3k+2 of word w the scale of group 4w + k, bits 12-15 nibble w of d, an F16
/// </code>
/// </summary>
internal sealed class IQ1_M() : BlockFormat(TensorType.IQ1_M)
{
    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var scales = BinaryPrimitives.ReadUInt64LittleEndian(block[48..]);
        var d = Scale(scales);
        for (var k = 0; k < 32; k++)
        {
            var nibble = block[32 + k / 2] >> (k % 2 * 4) & 15;
            var scale = (int)(scales >> (k / 8 * 16 + k / 2 % 4 * 3) & 7);
            IQ1_S.Decode(block[k] | (nibble & 7) << 8, d * (2 * scale + 1), nibble >= 8, values.Slice(8 * k, 8));
        }
    }

    private protected override unsafe void DecodeBlocks(byte* block, byte* end, float* to)
    {
        for (; block < end; block += BlockBytes, to += BlockSize)
        {
            var scales = Unsafe.ReadUnaligned<ulong>(block + 48);
            var d = Scale(scales);
            for (var g = 0; g < 16; g++)
            {
                int high = block[32 + g];
                var scale = d * (2 * (int)(scales >> (g / 4 * 16 + g % 4 * 3) & 7) + 1);
                IQ1_S.Decode(block[2 * g] | (high & 7) << 8, block[2 * g + 1] | (high & 0x70) << 4,
                    scale, (high & 8) != 0, (high & 0x80) != 0, to + 16 * g);
            }
        }
    }

    private static float Scale(ulong scales) => (float)BitConverter.UInt16BitsToHalf(
        (ushort)(scales >> 12 & 0xF | scales >> 24 & 0xF0 | scales >> 36 & 0xF00 | scales >> 48 & 0xF000));
}
