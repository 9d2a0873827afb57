using System.Runtime.Intrinsics;

namespace OpenHearth.Kernels.Formats;

/// <summary>
/// 256 ternary values of 2 bits with one scale: <c>value = d · (code − 1)</c>.
/// <code>
/// byte  0  qs    2 × 32 bytes, one half for 128 values; bits 2k and 2k+1 of byte j: code 32k + j of the half
///      64  d     F16
/// </code>
/// </summary>
internal sealed class TQ2_0() : BlockFormat(TensorType.TQ2_0)
{
    public override bool CanEncode => true;

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = Half(block, 64);
        for (var i = 0; i < 256; i++)
            values[i] = d * ((block[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3) - 1);
    }

    private protected override unsafe void DecodeBlocks(byte* block, byte* end, float* to)
    {
        for (; block < end; block += BlockBytes, to += BlockSize)
        {
            var d = Expand.Half(block + 64);
            for (var part = 0; part < 4; part++)
            {
                // 16 bytes hold the codes of every second 16 of a half.
                var bytes = Vector128.Load(block + 16 * part);
                for (var g = part / 2 * 8 + part % 2; g < part / 2 * 8 + 8; g += 2, bytes >>>= 2)
                    Expand.Scaled((bytes & Vector128.Create((byte)3)).AsSByte() - Vector128<sbyte>.One, d, to + 16 * g);
            }
        }
    }

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block)
    {
        block.Clear();
        var scale = ScaleSearch.LargestMagnitude(values);
        WriteHalf(block, 64, scale);
        for (var i = 0; i < 256; i++)
            block[i / 128 * 32 + i % 32] |= (byte)(TQ1_0.Digit(values[i], scale) << i % 128 / 32 * 2);
    }
}
